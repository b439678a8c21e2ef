import { check, inBackground, libc } from "./libc.js";
import { cString, type Name } from "./name.js";
import { SyscallError } from "./syscall-error.js";

/** Flags of `mount`. */
export const MS = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  REMOUNT: 0x20,
  NOATIME: 0x400,
  BIND: 0x1000,
  MOVE: 0x2000,
  REC: 0x4000,
  UNBINDABLE: 0x20000,
  PRIVATE: 0x40000,
  SLAVE: 0x80000,
  SHARED: 0x100000,
} as const;

/** Flags of `umount`. */
export const MNT = {
  FORCE: 1,
  /** Out of sight at once, ended when the last user is gone. */
  DETACH: 2,
  EXPIRE: 4,
} as const;
const UMOUNT_NOFOLLOW = 8;

/** Mounts in one step. `data` is a page (4095 bytes) at most: the kernel cuts off what is longer without a word. */
export function mount(source: Name, target: Name, type: Name | null, flags: number, data: Name | null): void {
  const text = (name: Name | null) => (name === null ? null : cString(name));
  check(libc.mount(cString(source), cString(target), text(type), flags, text(data)), "mount", target);
}

/** Unmounts the topmost mount at `target`, which is not followed when it is a symlink. */
export function umount(target: Name, flags = 0): void {
  check(libc.umount2(cString(target), flags | UMOUNT_NOFOLLOW), "umount2", target);
}

/**
 * As `umount`, without keeping this thread: an overlay's last unmounting writes all that waits for the file system of
 * its upper directory to disk, whoever wrote it.
 */
export async function umountInBackground(target: Name, flags = 0): Promise<void> {
  try {
    await inBackground("umount2", "umount2", cString(target), flags | UMOUNT_NOFOLLOW);
  } catch (error) {
    throw error instanceof SyscallError ? new SyscallError(-error.errno, "umount2", target) : error;
  }
}
