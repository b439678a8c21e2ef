import { decodeName } from "../spec/index.js";
import { check, lastErrno, libc } from "./libc.js";
import { cString, type Name } from "./name.js";
import { errnos, SyscallError } from "./syscall-error.js";

/** For `lsetxattr` and `fsetxattr`. */
export const XATTR_CREATE = 1;
export const XATTR_REPLACE = 2;

// The kernel's limit for one value and for one list (XATTR_SIZE_MAX, XATTR_LIST_MAX).
const room = Buffer.alloc(65536);

/** One xattr of a path, a symlink not followed. @returns undefined when it has none of that name */
export function lgetxattr(path: Name, name: Name): Uint8Array | undefined {
  return value(libc.lgetxattr(cString(path), cString(name), room, room.length), "lgetxattr", path);
}

/** One xattr of an open file. @returns undefined when it has none of that name */
export function fgetxattr(fd: number, name: Name): Uint8Array | undefined {
  return value(libc.fgetxattr(fd, cString(name), room, room.length), "fgetxattr");
}

/** Names of all xattrs of a path, a symlink not followed, decoded. None where the file system has none at all. */
export function llistxattr(path: Name): string[] {
  return names(libc.llistxattr(cString(path), room, room.length), "llistxattr", path);
}

/** Names of all xattrs of an open file, decoded. None where the file system has none at all. */
export function flistxattr(fd: number): string[] {
  return names(libc.flistxattr(fd, room, room.length), "flistxattr");
}

export function lsetxattr(path: Name, name: Name, value: Uint8Array, flags = 0): void {
  check(libc.lsetxattr(cString(path), cString(name), value, value.length, flags), "lsetxattr", path);
}

export function fsetxattr(fd: number, name: Name, value: Uint8Array, flags = 0): void {
  check(libc.fsetxattr(fd, cString(name), value, value.length, flags), "fsetxattr");
}

/** @throws SyscallError: ENODATA, there is none of that name */
export function lremovexattr(path: Name, name: Name): void {
  check(libc.lremovexattr(cString(path), cString(name)), "lremovexattr", path);
}

/** @throws SyscallError: ENODATA, there is none of that name */
export function fremovexattr(fd: number, name: Name): void {
  check(libc.fremovexattr(fd, cString(name)), "fremovexattr");
}

function value(length: number, syscall: string, path?: Name): Uint8Array | undefined {
  if (length >= 0) return new Uint8Array(room.subarray(0, length));
  const errno = lastErrno();
  if (errno === errnos.ENODATA) return undefined;
  throw new SyscallError(errno, syscall, path);
}

function names(length: number, syscall: string, path?: Name): string[] {
  if (length === 0) return [];
  if (length > 0) return decodeName(room.subarray(0, length - 1)).split("\0");
  const errno = lastErrno();
  if (errno === errnos.EOPNOTSUPP) return [];
  throw new SyscallError(errno, syscall, path);
}
