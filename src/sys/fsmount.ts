import { readSync } from "node:fs";
import { decodeName } from "../spec/index.js";
import { check, lastErrno, libc, numbers } from "./libc.js";
import { cString, type Name } from "./name.js";
import { AT_EMPTY_PATH, AT_FDCWD, O } from "./open.js";
import { SyscallError } from "./syscall-error.js";

const cloexec = 1;
const command = { flag: 0, string: 1, fd: 5, create: 6 } as const;

/** Attributes of `fsmount` and `mountSetattr`. */
export const MOUNT_ATTR = { RDONLY: 1, NOSUID: 2, NODEV: 4, NOEXEC: 8, NOATIME: 0x10 } as const;

/** Begins a file system of this type: the descriptor takes its options by `fsconfig…`. Linux 5.2. */
export function fsopen(type: Name): number {
  return check(libc.syscallName(numbers.fsopen, cString(type), cloexec), "fsopen", type);
}

/** Sets an option that has a value. */
export function fsconfigString(fd: number, key: string, value: Name): void {
  configure(fd, command.string, key, cString(value), 0);
}

/** Sets an option that has none. */
export function fsconfigFlag(fd: number, key: string): void {
  configure(fd, command.flag, key, null, 0);
}

/** Sets an option to an open file; `overlay` takes layers so from Linux 6.13 on. */
export function fsconfigFd(fd: number, key: string, value: number): void {
  configure(fd, command.fd, key, null, value);
}

/** Makes the file system out of the options set. */
export function fsconfigCreate(fd: number): void {
  configure(fd, command.create, null, null, 0);
}

/** What the kernel says went wrong stands in the message: it is read from the descriptor's own log. */
function configure(fd: number, command: number, key: string | null, value: Name | null, aux: number): void {
  if (libc.syscallConfig(numbers.fsconfig, fd, command, key, value, aux) === 0) return;
  const errno = lastErrno();
  const what = value === null ? key : `${key}=${typeof value === "string" ? value : decodeName(value)}`;
  throw new SyscallError(errno, "fsconfig", what ?? undefined, undefined, kernelLog(fd) || undefined);
}

/** The messages that wait on an fsopen descriptor, as "overlay: No changes allowed in reconfigure"; `""`: none. */
function kernelLog(fd: number): string {
  const room = Buffer.alloc(1024);
  const lines: string[] = [];
  try {
    // Each read gives one message, with its level in front ("e "); ENODATA tells the end.
    for (;;) lines.push(room.toString("utf8", 2, readSync(fd, room)).trim());
  } catch {
    return lines.join("; ");
  }
}

/** A mount of the file system made, attached nowhere yet; closing the descriptor before `moveMount` drops it. */
export function fsmount(fd: number, attributes = 0): number {
  return check(libc.syscallNumbers(numbers.fsmount, fd, cloexec, attributes), "fsmount");
}

/** Attaches the detached mount `fd` at `target`, from directory `dir`. */
export function moveMount(fd: number, target: Name, dir = AT_FDCWD): void {
  const emptyFrom = 4;
  const path = cString(target);
  check(libc.syscallPaths(numbers.move_mount, fd, "", dir, path, emptyFrom), "move_mount", target);
}

/** A detached copy of the mount at `path`, of those below too when `recursive`. Closing the descriptor drops it. */
export function openTree(path: Name, { recursive = false, dir = AT_FDCWD } = {}): number {
  const flags = 1 | O.O_CLOEXEC | (recursive ? 0x8000 : 0);
  return check(libc.syscallPath(numbers.open_tree, dir, cString(path), flags, 0), "open_tree", path);
}

/** Sets and clears attributes of the mount that `fd` is. Linux 5.12. */
export function mountSetattr(fd: number, set: number, clear = 0): void {
  const attr = new BigUint64Array([BigInt(set), BigInt(clear), 0n, 0n]);
  const bytes = new Uint8Array(attr.buffer);
  const result = libc.syscallPathFlagsData(numbers.mount_setattr, fd, "", AT_EMPTY_PATH, bytes, bytes.length);
  check(result, "mount_setattr");
}
