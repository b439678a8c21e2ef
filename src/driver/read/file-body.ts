import { readSync } from "node:fs";
import { Conflict, type Path } from "../../spec/index.js";
import { close, O, openat } from "../../sys/index.js";
import { quoted } from "../quoted.js";

const chunkSize = 256 * 1024;
// Without O_NONBLOCK a fifo that has taken the file's place would hold the thread for ever.
const flags = O.O_RDONLY | O.O_NOFOLLOW | O.O_NONBLOCK;

/** Content of a file while a walk stands at it: opened when first asked for, read piece by piece. */
export class FileBody implements Iterable<Uint8Array> {
  readonly #dir: number;
  readonly #name: string;
  readonly #path: Path;
  readonly #size: number;
  #fd: number | undefined;
  #isOver = false;

  /** @param dir the open directory in which it is; used until `end` */
  constructor(dir: number, name: string, path: Path, size: number) {
    this.#dir = dir;
    this.#name = name;
    this.#path = path;
    this.#size = size;
  }

  /** The file, open until the walk goes on. @throws SyscallError: it cannot be opened */
  get fd(): number {
    if (this.#isOver) throw new TypeError(`${quoted(this.#path)}: read after the next change was asked for`);
    this.#fd ??= openat(this.#dir, this.#name, flags);
    return this.#fd;
  }

  /** Gives exactly the file's size, as the walk has found it. @throws Conflict: the file has got shorter since */
  *[Symbol.iterator](): Generator<Uint8Array, void, undefined> {
    for (let at = 0; at < this.#size; ) {
      const chunk = Buffer.allocUnsafe(Math.min(this.#size - at, chunkSize));
      const length = readSync(this.fd, chunk, 0, chunk.length, at);
      if (length === 0) throw this.changed(at);
      at += length;
      yield length === chunk.length ? chunk : chunk.subarray(0, length);
    }
  }

  /** The walk goes on. */
  end(): void {
    this.#isOver = true;
    if (this.#fd !== undefined) close(this.#fd);
    this.#fd = undefined;
  }

  /** Says that it has no more than `size` bytes by now. */
  changed(size: number): Conflict {
    return new Conflict(`${quoted(this.#path)}: changed while it was read, from ${this.#size} bytes to ${size}`);
  }
}
