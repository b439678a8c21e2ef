import { randomBytes } from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { DataLoss, messageOf, Unavailable } from "../../spec/index.js";

const blockSize = 1024 * 1024;

/** Where a stream is kept. */
export interface Place {
  readonly offset: number;
  readonly size: number;
}

/** Streams kept in one file without a name, which is gone with the process, however that ends. */
export class Spool implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #writer: BlockWriter;

  /** @param dir absolute path of the directory that the file takes its room from; it exists */
  static async open(dir: string): Promise<Spool> {
    const path = join(dir, `archive-${randomBytes(8).toString("hex")}`);
    const file = await open(path, "wx+", 0o600);
    await unlink(path);
    return new Spool(file, dir);
  }

  /** What an open file has already, to be read alone; it is closed with the spool. */
  static over(file: FileHandle, path: string): Spool {
    return new Spool(file, path);
  }

  private constructor(file: FileHandle, dir: string) {
    this.#file = file;
    this.#writer = new BlockWriter(file, dir);
  }

  /**
   * Keeps a stream, one at a time. What the stream throws comes through.
   *
   * @throws Unavailable: it cannot be stored
   */
  async keep(bytes: AsyncIterable<Uint8Array>): Promise<Place> {
    const offset = this.#writer.end;
    for await (const chunk of bytes) await this.#writer.write(chunk);
    return { offset, size: this.#writer.end - offset };
  }

  /** What was kept, or a part of it, lazily, in pieces of up to 1 MiB; nothing is kept meanwhile. */
  async *read({ offset, size }: Place): AsyncGenerator<Uint8Array> {
    await this.#writer.flush();
    yield* piecesOf(this.#file, offset, size);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.settled();
    await this.#file.close();
  }
}

/**
 * Writes in whole blocks, one at a time, while the next one is being filled: file systems take a block of 1 MiB in a
 * fifth of the time of sixteen of 64 KiB (XFS, Linux 6.18), also when those come as one writev.
 */
class BlockWriter {
  readonly #file: FileHandle;
  readonly #dir: string;
  #filling = Buffer.alloc(0);
  #spare = Buffer.alloc(0);
  #filled = 0;
  #position = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(file: FileHandle, dir: string) {
    this.#file = file;
    this.#dir = dir;
  }

  /** Offset of what is written next. */
  get end(): number {
    return this.#position + this.#filled;
  }

  /** The chunk is the caller's again at once. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#filling.length === 0) this.#filling = Buffer.allocUnsafeSlow(blockSize);
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + blockSize - this.#filled);
      this.#filling.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === blockSize) await this.#next();
    }
  }

  async flush(): Promise<void> {
    if (this.#filled > 0) await this.#next();
    await this.#writing;
  }

  /** Nothing is being written any more, whatever came of it. */
  async settled(): Promise<void> {
    await this.#writing.catch(() => undefined);
  }

  /** Waits for the block before, and lets this one be written. */
  async #next(): Promise<void> {
    await this.#writing;
    if (this.#filled === 0) return; // another reader was faster
    this.#writing = this.#writeBlock(this.#filling.subarray(0, this.#filled), this.#position);
    this.#writing.catch(() => undefined); // told by the next await
    this.#position += this.#filled;
    this.#filled = 0;
    [this.#filling, this.#spare] = [this.#spare, this.#filling];
    if (this.#filling.length === 0) this.#filling = Buffer.allocUnsafeSlow(blockSize);
  }

  async #writeBlock(block: Uint8Array, position: number): Promise<void> {
    try {
      for (let at = 0; at < block.length; ) {
        at += (await this.#file.write(block, at, block.length - at, position + at)).bytesWritten;
      }
    } catch (error) {
      throw new Unavailable(`cannot keep the archive in ${this.#dir}: ${messageOf(error)}`, { cause: error });
    }
  }
}

/** The next piece is read while the reader works on this one. */
async function* piecesOf(file: FileHandle, offset: number, size: number): AsyncGenerator<Uint8Array> {
  const pieceAt = async (at: number): Promise<Uint8Array> => {
    const length = Math.min(blockSize, size - at);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(length), 0, length, offset + at);
    if (bytesRead === 0) throw new DataLoss("the stored archive ended early");
    return buffer.subarray(0, bytesRead);
  };
  let next = size > 0 ? pieceAt(0) : undefined;
  try {
    for (let at = 0; next !== undefined; ) {
      const piece: Uint8Array = await next;
      at += piece.length;
      next = at < size ? pieceAt(at) : undefined;
      next?.catch(() => undefined);
      yield piece;
    }
  } finally {
    await next?.catch(() => undefined); // the file may be closed right after
  }
}
