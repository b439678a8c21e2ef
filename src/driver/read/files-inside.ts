import { readSync } from "node:fs";
import { baseOf, type Path, parentOf } from "../../spec/index.js";
import { close, O, openat } from "../../sys/index.js";
import { Directories } from "../write/directories.js";

/** The room of all pieces. */
const room = Buffer.allocUnsafeSlow(256 << 10);
// Without O_NONBLOCK a fifo that has taken a file's place would hold the thread for ever.
const flags = O.O_RDONLY | O.O_NOFOLLOW | O.O_NONBLOCK;

/**
 * Reads files below a directory by their paths, never one outside of it: symlinks on the way are followed inside, one
 * at the end is not. Synchronous, for worker threads; directories stay open for a while, since paths come clustered.
 */
export class FilesInside implements Disposable {
  readonly #directories: Directories;

  constructor(root: string) {
    this.#directories = new Directories(root, "", () => {});
  }

  /**
   * Its bytes, to the end. Lazy; each piece is there until the next is asked for, of this file or another.
   *
   * @param size how many bytes are expected: right, it saves time
   * @throws SyscallError: it is not there, or is no file (EISDIR, ELOOP, ENXIO)
   */
  *content(path: Path, size: number): Generator<Uint8Array, void, undefined> {
    this.#directories.settle();
    const fd = openat(this.#directories.find(parentOf(path)), baseOf(path), flags);
    try {
      for (let left = size; ; ) {
        // One byte more than there should be: a piece that is not full is the last.
        const asked = left > 0 ? Math.min(left + 1, room.length) : room.length;
        const length = readSync(fd, room, 0, asked, null);
        if (length > 0) yield room.subarray(0, length);
        if (length < asked) return;
        left -= length;
      }
    } finally {
      close(fd);
    }
  }

  /** Its directory, open until the next call, and its name there. @throws SyscallError: there is no such directory */
  place(path: Path): { readonly dir: number; readonly name: string } {
    this.#directories.settle();
    return { dir: this.#directories.find(parentOf(path)), name: baseOf(path) };
  }

  [Symbol.dispose](): void {
    this.#directories[Symbol.dispose]();
  }
}
