import { decodeName } from "../spec/index.js";
import { check, libc, numbers } from "./libc.js";
import { cString, type Name } from "./name.js";

/** For `unlinkat`: the name is a directory's. */
export const AT_REMOVEDIR = 0x200;

/** Flags of `renameat2`. */
export const rename = {
  /** Fail with EEXIST instead of replacing. */
  noReplace: 1,
  /** Swap the two names. */
  exchange: 2,
  /** Leave an overlayfs whiteout at the old name. */
  whiteout: 4,
} as const;

/** Gives the file at `from` another name; a symlink at `from` is linked itself, not followed. */
export function linkat(fromDir: number, from: Name, toDir: number, to: Name, flags = 0): void {
  check(libc.linkat(fromDir, cString(from), toDir, cString(to), flags), "linkat", from, to);
}

/** Takes a name away; a directory's only with AT_REMOVEDIR. */
export function unlinkat(dir: number, path: Name, flags = 0): void {
  check(libc.unlinkat(dir, cString(path), flags), "unlinkat", path);
}

/** Moves a name in one step; `flags` of `rename`. */
export function renameat2(fromDir: number, from: Name, toDir: number, to: Name, flags = 0): void {
  const result = libc.syscallPaths(numbers.renameat2, fromDir, cString(from), toDir, cString(to), flags);
  check(result, "renameat2", from, to);
}

// A symlink's target is at most a page long; one byte more would tell a longer one.
const target = Buffer.alloc(4097);

/** The target of a symlink, decoded. */
export function readlinkat(dir: number, path: Name): string {
  const length = check(libc.readlinkat(dir, cString(path), target, target.length), "readlinkat", path);
  return decodeName(target.subarray(0, length));
}
