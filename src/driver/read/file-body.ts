import { readSync } from "node:fs";
import { Conflict, type Path } from "../../spec/index.js";
import { close, O, openat } from "../../sys/index.js";
import { quoted } from "../quoted.js";

const chunkSize = 256 * 1024;
// Without O_NONBLOCK a fifo that has taken the file's place would hold the thread for ever.
const flags = O.O_RDONLY | O.O_NOFOLLOW | O.O_NONBLOCK;

/** Content of a file while a walk stands at it: opened when the first piece is asked for, read piece by piece. */
export class FileBody implements Iterable<Uint8Array> {
  readonly #dir: number;
  readonly #name: string;
  readonly #path: Path;
  readonly #size: number;
  readonly #isCurrent: () => boolean;

  /** @param isCurrent whether the walk still stands at the file: `dir` is open as long */
  constructor(dir: number, name: string, path: Path, size: number, isCurrent: () => boolean) {
    this.#dir = dir;
    this.#name = name;
    this.#path = path;
    this.#size = size;
    this.#isCurrent = isCurrent;
  }

  /** Gives exactly the file's size, as the walk has found it. @throws Conflict: the file has got shorter since */
  *[Symbol.iterator](): Generator<Uint8Array, void, undefined> {
    if (this.#size === 0) return;
    const fd = this.open();
    try {
      for (let left = this.#size; left > 0; ) {
        const chunk = Buffer.allocUnsafe(Math.min(left, chunkSize));
        const length = readSync(fd, chunk, 0, chunk.length, null);
        if (length === 0) throw this.#changed(left);
        left -= length;
        yield length === chunk.length ? chunk : chunk.subarray(0, length);
      }
    } finally {
      close(fd);
    }
  }

  /** @returns a descriptor, for the caller to close */
  open(): number {
    if (!this.#isCurrent()) throw new TypeError(`${quoted(this.#path)}: read after the next change was asked for`);
    return openat(this.#dir, this.#name, flags);
  }

  #changed(missing: number): Conflict {
    return new Conflict(`${quoted(this.#path)}: changed while it was read, ${missing} of ${this.#size} bytes are gone`);
  }
}
