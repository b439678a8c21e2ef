import { check, libc, numbers } from "./libc.js";
import { cString, type Name } from "./name.js";

/** The type bits of a mode. */
export const S = {
  IFMT: 0o170000,
  IFSOCK: 0o140000,
  IFLNK: 0o120000,
  IFREG: 0o100000,
  IFBLK: 0o060000,
  IFDIR: 0o040000,
  IFCHR: 0o020000,
  IFIFO: 0o010000,
} as const;

/** Makes a directory; the umask takes bits away from `mode`. */
export function mkdirat(dir: number, path: Name, mode: number): void {
  check(libc.mkdirat(dir, cString(path), mode), "mkdirat", path);
}

/**
 * Makes a file, fifo, socket or device: `mode` has its type of `S`. The umask takes bits away from it.
 *
 * @param major device numbers, 12 and 20 bits; of no meaning for what is no device
 */
export function mknodat(dir: number, path: Name, mode: number, major = 0, minor = 0): void {
  const device = makeDevice(major, minor);
  check(libc.syscallPath(numbers.mknodat, dir, cString(path), mode, device), "mknodat", path);
}

/** A device number as the kernel takes it in a system call: 32 bits, the minor split around the major. */
export function makeDevice(major: number, minor: number): number {
  return ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & 0xfff00) << 12)) >>> 0;
}

/** Makes a symlink at `path`; `target` is stored as it is. */
export function symlinkat(target: Name, dir: number, path: Name): void {
  check(libc.symlinkat(cString(target), dir, cString(path)), "symlinkat", target, path);
}
