import { closeSync, openSync, writeSync } from "node:fs";
import { createGzip, type Gzip } from "node:zlib";
import { free, freed, TarSplitWriter } from "../archive/index.js";
import { isErrno, Unavailable } from "../spec/index.js";

/**
 * Writes `tar-split.json.gz`. Compression runs on libuv's pool, beside the thread that unpacks; the file is opened at
 * once, so that it may lie outside of a jail that comes later.
 */
export class SplitFile implements Disposable {
  readonly writer: TarSplitWriter;
  readonly #path: string;
  readonly #gzip: Gzip;
  readonly #fd: number;
  readonly #written: Promise<void>;
  #failed = false;

  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, "wx", 0o644);
    this.#gzip = createGzip({ level: 1, chunkSize: 64 << 10 });
    this.writer = new TarSplitWriter((chunk) => this.#compress(chunk));
    this.#written = this.#write();
    this.#written.catch(() => {
      this.#failed = true;
    });
  }

  /** Waits while compression is behind. @throws what writing the file has thrown */
  async pace(): Promise<void> {
    if (this.#failed) await this.#written;
    if (!this.#gzip.writableNeedDrain) return;
    const drained = new Promise((resolve) => this.#gzip.once("drain", resolve));
    await Promise.race([drained, this.#written]);
  }

  /** All is in the file. */
  async end(): Promise<void> {
    this.writer.end();
    this.#gzip.end();
    await this.#written;
  }

  [Symbol.dispose](): void {
    this.#gzip.destroy();
    closeSync(this.#fd);
  }

  #compress(lines: Uint8Array<ArrayBuffer>): void {
    // What waits to be compressed outlives young garbage: as old garbage tens of megabytes would gather.
    this.#gzip.write(lines, () => {
      if (lines.length === lines.buffer.byteLength) free(lines.buffer);
    });
  }

  async #write(): Promise<void> {
    for await (const chunk of freed(this.#gzip as AsyncIterable<Uint8Array>)) {
      for (let at = 0; at < chunk.length; ) at += this.#put(chunk, at);
    }
  }

  #put(chunk: Uint8Array, at: number): number {
    try {
      return writeSync(this.#fd, chunk, at);
    } catch (error) {
      if (!isErrno(error, "ENOSPC")) throw error;
      throw new Unavailable(`${JSON.stringify(this.#path)}: no space left on the disk`, { cause: error });
    }
  }
}
