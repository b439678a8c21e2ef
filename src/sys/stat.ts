import { check, lastErrno, libc } from "./libc.js";
import { cString, type Name } from "./name.js";
import { AT_EMPTY_PATH } from "./open.js";
import { errnos, SyscallError } from "./syscall-error.js";

const AT_SYMLINK_NOFOLLOW = 0x100;
const STATX_BASIC_STATS = 0x7ff;

/**
 * Room for the answer of `lstatat` and `fstat`, used again and again: a walk makes one and no object a file.
 * The fields are those of the last call.
 *
 * @see statx(2)
 */
export class Stat {
  readonly bytes = new Uint8Array(256);
  #view = new DataView(this.bytes.buffer);

  get nlink(): number {
    return this.#view.getUint32(16, true);
  }
  get uid(): number {
    return this.#view.getUint32(20, true);
  }
  get gid(): number {
    return this.#view.getUint32(24, true);
  }
  /** Type (see `S`) and permission bits. */
  get mode(): number {
    return this.#view.getUint16(28, true);
  }
  get ino(): bigint {
    return this.#view.getBigUint64(32, true);
  }
  /** Bytes. */
  get size(): number {
    return Number(this.#view.getBigUint64(40, true));
  }
  /** Of 512 bytes. */
  get blocks(): number {
    return Number(this.#view.getBigUint64(48, true));
  }
  get atimeNs(): bigint {
    return this.#time(64);
  }
  /** Whole seconds: without a bigint, for who looks at each file of many. */
  get ctime(): number {
    return this.#seconds(96);
  }
  get ctimeNs(): bigint {
    return this.#time(96);
  }
  get mtimeNs(): bigint {
    return this.#time(112);
  }
  /** To the microsecond. */
  get mtimeMs(): number {
    return this.#seconds(112) * 1000 + this.#view.getUint32(120, true) / 1e6;
  }
  get rdevMajor(): number {
    return this.#view.getUint32(128, true);
  }
  get rdevMinor(): number {
    return this.#view.getUint32(132, true);
  }
  /** One number a mounted file system: equal exactly when major and minor are. */
  get dev(): number {
    return this.#view.getUint32(136, true) * 0x100000 + this.#view.getUint32(140, true);
  }

  /** Identifies what was found and its state: it has another after any change, a directory after that of an entry. */
  get stamp(): string {
    const view = this.#view;
    const inode = `${view.getUint32(36, true)}.${view.getUint32(32, true)}`;
    return `${this.dev}:${inode}:${this.ctime}.${view.getUint32(104, true)}`;
  }

  #seconds(at: number): number {
    return this.#view.getInt32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true);
  }

  #time(at: number): bigint {
    return this.#view.getBigInt64(at, true) * 1_000_000_000n + BigInt(this.#view.getUint32(at + 8, true));
  }
}

/** What is at `path`, a symlink itself not followed, into `stat`. */
export function lstatat(dir: number, path: Name, stat: Stat): Stat {
  check(libc.statx(dir, cString(path), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, stat.bytes), "statx", path);
  return stat;
}

/** As `lstatat`, but quicker in saying no. @returns false: nothing is there (ENOENT, ENOTDIR), `stat` means nothing */
export function tryLstatat(dir: number, path: Name, stat: Stat): boolean {
  if (libc.statx(dir, cString(path), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, stat.bytes) === 0) return true;
  const errno = lastErrno();
  if (errno === errnos.ENOENT || errno === errnos.ENOTDIR) return false;
  throw new SyscallError(errno, "statx", path);
}

/** What `fd` is open on, into `stat`. */
export function fstat(fd: number, stat: Stat): Stat {
  check(libc.statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, stat.bytes), "statx");
  return stat;
}
