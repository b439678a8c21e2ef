import { TarParser } from "../archive/index.js";
import { type DiffID, Digester } from "../spec/index.js";
import type { SplitFile } from "./split-file.js";

/** Hashes an archive that passes, and records its tar-split. */
export class Recorder {
  readonly #split: SplitFile;
  readonly #parser: TarParser;
  readonly #digester = new Digester();
  #isDamaged = false;

  constructor(split: SplitFile) {
    this.#split = split;
    this.#parser = new TarParser(split.writer);
  }

  /**
   * The same bytes. A damaged archive passes as well: who parses it next finds that and more, so that of two faults it
   * is always the first that is told.
   */
  async *passing(tar: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of tar) {
      this.#digester.update(chunk);
      this.#parse(chunk);
      yield chunk;
      await this.#split.pace();
    }
  }

  /** All has passed, and is a layer: the tar-split is written. */
  async end(): Promise<DiffID> {
    this.#parser.end();
    await this.#split.end();
    return this.#digester.digest<DiffID>();
  }

  #parse(chunk: Uint8Array): void {
    if (this.#isDamaged) return;
    try {
      this.#parser.write(chunk);
    } catch {
      this.#isDamaged = true;
    }
  }
}
