import { check, libc } from "./libc.js";
import { cString, type Name } from "./name.js";

const AT_SYMLINK_NOFOLLOW = 0x100;

/** Changes the owner, of a symlink itself. The kernel takes setuid and setgid away: set the mode afterwards. */
export function lchownat(dir: number, path: Name, uid: number, gid: number): void {
  check(libc.fchownat(dir, cString(path), uid, gid, AT_SYMLINK_NOFOLLOW), "fchownat", path);
}

/** Sets the permission bits of what `path` leads to: symlinks are followed. Symlinks have no mode of their own. */
export function fchmodat(dir: number, path: Name, mode: number): void {
  check(libc.fchmodat(dir, cString(path), mode, 0), "fchmodat", path);
}

export function fchmod(fd: number, mode: number): void {
  check(libc.fchmod(fd, mode), "fchmod");
}
