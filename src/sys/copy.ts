import { check, libc, numbers } from "./libc.js";

const FICLONE = 0x40049409;

/**
 * Makes `to` share all of the content of `from`, copied on write. Both are open files of one file system that can.
 *
 * @throws SyscallError: EOPNOTSUPP, EXDEV or EINVAL where it cannot
 */
export function ficlone(from: number, to: number): void {
  check(libc.ioctlNumber(to, FICLONE, from), "ficlone");
}

/** Copies up to `size` bytes from where one file stands to where the other does. @returns bytes copied, 0 at the end */
export function copyFileRange(from: number, to: number, size: number): number {
  return check(libc.syscallCopy(numbers.copy_file_range, from, null, to, null, size, 0), "copy_file_range");
}
