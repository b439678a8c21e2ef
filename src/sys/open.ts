import { constants } from "node:fs";
import { check, libc, numbers } from "./libc.js";
import { cString, type Name } from "./name.js";

/** The directory file descriptor that stands for the working directory of the thread. */
export const AT_FDCWD = -100;
/** For calls on the file descriptor itself, with an empty name. */
export const AT_EMPTY_PATH = 0x1000;

/** Flags of `openat`: those of `node:fs` and the two it lacks. */
export const O = {
  ...constants,
  /** Only a handle on the place: no content, no permission on the file itself needed. */
  O_PATH: 0o10000000,
  O_CLOEXEC: 0o2000000,
} as const;

/** How `openat2` walks: the kernel keeps every step to it. @see openat2(2) */
export const resolve = {
  /** Stay in the mount. */
  noXdev: 0x01,
  /** No `/proc/PID/fd` and the like. */
  noMagicLinks: 0x02,
  /** No symlink at any step. */
  noSymlinks: 0x04,
  /** A step out of the directory fails with EXDEV. */
  beneath: 0x08,
  /** The directory is the root: absolute links and `..` stay inside. */
  inRoot: 0x10,
} as const;

/** Opens `path` from directory `dir`. @returns the file descriptor */
export function openat(dir: number, path: Name, flags: number, mode = 0): number {
  return check(libc.openat(dir, cString(path), flags | O.O_CLOEXEC, mode), "openat", path);
}

export interface How {
  readonly flags: number;
  /** Permission bits; only with O_CREAT or O_TMPFILE. */
  readonly mode?: number;
  /** Of `resolve`, or-ed. */
  readonly resolve: number;
}

const how = new BigUint64Array(3);
const howBytes = new Uint8Array(how.buffer);

/** As `openat`, walked as `how.resolve` says. @throws SyscallError: EXDEV or ELOOP when the walk would leave */
export function openat2(dir: number, path: Name, { flags, mode = 0, resolve }: How): number {
  how[0] = BigInt(flags | O.O_CLOEXEC);
  how[1] = BigInt(mode);
  how[2] = BigInt(resolve);
  const result = libc.syscallPathData(numbers.openat2, dir, cString(path), howBytes, howBytes.length);
  return check(result, "openat2", path);
}

export function close(fd: number): void {
  check(libc.close(fd), "close");
}
