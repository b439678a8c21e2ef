import { check, libc } from "./libc.js";
import { cString, type Name } from "./name.js";

/** What `unshare` gives the thread its own of, and kinds of namespace for `setns`. */
export const CLONE = {
  /** Root and working directory: from here on `chroot` and `chdir` are the thread's own. */
  FS: 0x200,
  NEWNS: 0x20000,
  NEWCGROUP: 0x2000000,
  NEWUTS: 0x4000000,
  NEWIPC: 0x8000000,
  NEWUSER: 0x10000000,
  NEWPID: 0x20000000,
  NEWNET: 0x40000000,
} as const;

/**
 * Gives the calling thread, and only it, its own of `flags`. For worker threads that make synchronous calls only and
 * then end: what runs on libuv's pool sees nothing of it.
 */
export function unshare(flags: number): void {
  check(libc.unshare(flags), "unshare");
}

/** Moves the calling thread into the namespace that `fd` is open on; `type` of `CLONE`, 0 for any. */
export function setns(fd: number, type = 0): void {
  check(libc.setns(fd, type), "setns");
}

/** Makes `path` the root; of the thread alone only after `unshare(CLONE.FS)`. The working directory stays. */
export function chroot(path: Name): void {
  check(libc.chroot(cString(path)), "chroot", path);
}

/** Changes the working directory; of the thread alone only after `unshare(CLONE.FS)`. */
export function chdir(path: Name): void {
  check(libc.chdir(cString(path)), "chdir", path);
}

/** As `chdir`, to the directory `fd` is open on. */
export function fchdir(fd: number): void {
  check(libc.fchdir(fd), "fchdir");
}
