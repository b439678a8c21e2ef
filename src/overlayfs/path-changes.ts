import { byteLength, byteOrder } from "./byte-order.js";
import { inside } from "./names.js";
import { sameBytes } from "./same.js";
import type { Directory, Inode, Tree } from "./tree.js";

/** One line of `docker diff`. */
export interface PathChange {
  /** Absolute inside the container: begins with `/`. */
  readonly path: string;
  readonly kind: "modified" | "added" | "deleted";
}

/**
 * The paths in which two merged trees differ, as Docker lists them, sorted: content is not read, size and time tell.
 * What is new is listed with all in it, what is gone as one; a directory above a difference is modified.
 */
export function pathChanges(lower: Tree, upper: Tree): PathChange[] {
  return [...directoryChanges(lower, upper, "")].sort((a, b) => byteOrder(a.path, b.path));
}

function* directoryChanges(lower: Directory | undefined, upper: Directory, at: string): Generator<PathChange> {
  for (const [name, inode] of upper.entries) yield* entryChanges(lower?.entries.get(name), inode, inside(at, name));
  for (const name of lower?.entries.keys() ?? []) {
    if (!upper.entries.has(name)) yield { path: `/${inside(at, name)}`, kind: "deleted" };
  }
}

function* entryChanges(lower: Inode | undefined, upper: Inode, at: string): Generator<PathChange> {
  const below = lower?.kind === "directory" ? lower : undefined;
  const within = upper.kind === "directory" ? [...directoryChanges(below, upper, at)] : [];
  if (lower === undefined) yield { path: `/${at}`, kind: "added" };
  else if (within.length > 0 || looksDifferent(lower, upper)) yield { path: `/${at}`, kind: "modified" };
  yield* within;
}

/** @see moby pkg/archive, statDifferent: what of the stat and which xattr counts */
function looksDifferent(a: Inode, b: Inode): boolean {
  if (a.kind === "whiteout" || b.kind === "whiteout" || a.kind !== b.kind) return a.kind !== b.kind;
  const { meta: x } = a;
  const { meta: y } = b;
  if (x.mode !== y.mode || x.uid !== y.uid || x.gid !== y.gid) return true;
  if (!sameBytes(x.xattrs.get("security.capability"), y.xattrs.get("security.capability"))) return true;
  if (isDevice(a) && isDevice(b) && (a.major !== b.major || a.minor !== b.minor)) return true;
  // The test for a directory there is of one bit of the type, which block devices have too.
  if (a.kind === "directory" || a.kind === "block") return false;
  return sizeOf(a) !== sizeOf(b) || !sameTime(x.mtimeNs, y.mtimeNs);
}

function isDevice(inode: Inode): inode is Extract<Inode, { kind: "char" | "block" }> {
  return inode.kind === "char" || inode.kind === "block";
}

function sizeOf(inode: Inode): number {
  if (inode.kind === "file") return inode.size;
  return inode.kind === "symlink" ? byteLength(inode.target) : 0;
}

/** Times out of a tar may have lost their fraction: whole seconds equal any fraction of the same second. */
function sameTime(a: bigint, b: bigint): boolean {
  const second = (ns: bigint) => ns - (((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n);
  return a === b || (second(a) === second(b) && (second(a) === a || second(b) === b));
}
