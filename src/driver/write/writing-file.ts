import { ftruncateSync, writeSync } from "node:fs";
import type { Meta } from "../../overlayfs/index.js";
import { DataLoss, isErrno, type Path } from "../../spec/index.js";
import { close, copyFileRange, ficlone, fstat, futimens, Stat } from "../../sys/index.js";
import { quoted } from "../quoted.js";
import { applyToFile, timesOf } from "./apply-meta.js";
import type { Owners } from "./owner-on-disk.js";

const mostAtOnce = 1 << 30;
const stat = new Stat();

/** A file on its way to disk: takes exactly the bytes it was said to have. */
export class WritingFile {
  readonly path: Path;
  /** Open for reading and writing. */
  readonly fd: number;
  readonly #meta: Meta;
  readonly size: number;
  readonly #isRight: boolean;
  #written = 0;

  /**
   * @param fd open for reading and writing; closed at the end
   * @param isRight owner and mode are so already, and there are no xattrs
   */
  constructor(fd: number, path: Path, meta: Meta, size: number, isRight: boolean) {
    this.#isRight = isRight;
    this.fd = fd;
    this.path = path;
    this.#meta = meta;
    this.size = size;
  }

  write(chunk: Uint8Array): void {
    if (this.#written + chunk.length > this.size) {
      throw new DataLoss(`${quoted(this.path)}: has more data than the ${this.size} bytes it was said to have`);
    }
    for (let at = 0; at < chunk.length; ) at += writeSync(this.fd, chunk, at, chunk.length - at);
    this.#written += chunk.length;
  }

  /** Takes all content from an open file, shared with it where the file system can. @returns bytes copied */
  clone(from: number): number {
    if (this.share(from)) return 0;
    while (this.#written < this.size) {
      const copied = copyFileRange(from, this.fd, Math.min(this.size - this.#written, mostAtOnce));
      if (copied === 0) break;
      this.#written += copied;
    }
    return this.#written;
  }

  /**
   * Shares the blocks of an open file: its content at one moment, as far as it belongs to this file.
   *
   * @returns false: the file system cannot, nothing is done
   */
  share(from: number): boolean {
    try {
      ficlone(from, this.fd);
    } catch (error) {
      if (!isErrno(error, "EOPNOTSUPP", "ENOTSUP", "EXDEV", "EINVAL", "ENOTTY", "ENOSYS")) throw error;
      return false;
    }
    const shared = fstat(this.fd, stat).size;
    if (shared > this.size) ftruncateSync(this.fd, this.size);
    this.#written = Math.min(shared, this.size);
    return true;
  }

  /** Whether all data is there. */
  get isWhole(): boolean {
    return this.#written === this.size;
  }

  /** All data is there: sets the metadata and closes. */
  finish(owners: Owners): void {
    try {
      if (this.#written < this.size) {
        throw new DataLoss(`${quoted(this.path)}: ends after ${this.#written} of ${this.size} bytes`);
      }
      if (this.#isRight) futimens(this.fd, ...timesOf(this.#meta));
      else applyToFile(this.fd, this.path, this.#meta, owners);
    } finally {
      close(this.fd);
    }
  }

  abandon(): void {
    close(this.fd);
  }
}
