import { readSync } from "node:fs";
import { baseOf, type Path, parentOf } from "../../spec/index.js";
import { close, O, openat } from "../../sys/index.js";
import { Directories } from "../write/directories.js";

const chunkSize = 256 * 1024;
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
   * Its bytes, to the end. Lazy.
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
        const chunk = Buffer.allocUnsafe(left > 0 ? Math.min(left + 1, chunkSize) : chunkSize);
        const length = readSync(fd, chunk, 0, chunk.length, null);
        if (length > 0) yield chunk.subarray(0, length);
        if (length < chunk.length) return;
        left -= length;
      }
    } finally {
      close(fd);
    }
  }

  [Symbol.dispose](): void {
    this.#directories[Symbol.dispose]();
  }
}
