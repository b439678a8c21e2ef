import type { SyncChange } from "../../overlayfs/index.js";
import { compareNames, type Path } from "../../spec/index.js";
import { fstat, Stat } from "../../sys/index.js";
import { quoted } from "../quoted.js";
import { FileBody } from "./file-body.js";
import { readTree } from "./read-tree.js";

const [statA, statB] = [new Stat(), new Stat()];

/**
 * Looks for a difference between two trees as they are seen in a mount: in names, types, modes, owners, sizes, times,
 * xattrs, link targets, devices, and what is linked to what. Content is the same where the inode is; else it is read.
 * Times of directories do not count, nor does the root itself, of which each driver thinks differently; nor do sockets.
 * Synchronous: for a worker thread.
 *
 * @param exact those count too, but for sockets, and overlayfs's own xattrs
 * @returns one line that tells the first difference; undefined: there is none
 */
export function compareTrees(a: string, b: string, exact = false): string | undefined {
  const [left, right] = [walk(a, exact), walk(b, exact)];
  try {
    for (;;) {
      const [x, y] = [left.next(), right.next()];
      if (x.done && y.done) return undefined;
      const difference = differenceOf(x.done ? undefined : x.value, y.done ? undefined : y.value, exact);
      if (difference !== undefined) return difference;
    }
  } finally {
    left.return();
    right.return();
  }
}

function walk(root: string, exact: boolean): Generator<SyncChange, void, undefined> {
  return readTree(root, { xattrs: exact ? "every" : "all", rootEntry: exact });
}

function differenceOf(a: SyncChange | undefined, b: SyncChange | undefined, exact: boolean): string | undefined {
  if (a === undefined || b === undefined) return `${quoted((a ?? b)!.path)} is in one of them only`;
  if (a.path !== b.path) return `${quoted(first(a.path, b.path))} is in one of them only`;
  for (const [what, of] of facts) {
    if (what === "time" && a.kind === "directory" && !exact) continue;
    const [x, y] = [of(a), of(b)];
    if (x !== y) return `${quoted(a.path)}: ${what} was ${x}, is ${y}`;
  }
  if (a.kind !== "file" || b.kind !== "file" || isSameContent(a.body, b.body)) return undefined;
  return `${quoted(a.path)}: its content differs`;
}

function first(a: Path, b: Path): Path {
  return compareNames(a, b) < 0 ? a : b;
}

type Fact = readonly [what: string, of: (change: SyncChange) => string | undefined];

const facts: readonly Fact[] = [
  ["type", ({ kind }) => kind],
  ["owner", ({ meta }) => `${meta?.uid}:${meta?.gid}`],
  ["mode", ({ meta }) => meta?.mode.toString(8)],
  ["time", ({ meta }) => String(meta?.mtimeNs)],
  ["xattrs", ({ meta }) => [...(meta?.xattrs ?? [])].map(shownXattr).sort().join(" ")],
  ["size", (change) => (change.kind === "file" ? String(change.size) : undefined)],
  ["link target", (change) => (change.kind === "symlink" ? change.target : undefined)],
  ["first name", (change) => (change.kind === "hardlink" ? change.to : undefined)],
  ["device", (change) => ("major" in change ? `${change.major}:${change.minor}` : undefined)],
];

function shownXattr([name, value]: readonly [string, Uint8Array]): string {
  return `${name}=${Buffer.from(value).toString("hex")}`;
}

function isSameContent(a: Iterable<Uint8Array>, b: Iterable<Uint8Array>): boolean {
  if (a instanceof FileBody && b instanceof FileBody && isSameInode(a.fd, b.fd)) return true;
  const other = pieces(b);
  for (const piece of a) if (Buffer.compare(piece, other.next().value ?? none) !== 0) return false;
  return true;
}

const none = Buffer.alloc(0);

function* pieces(content: Iterable<Uint8Array>): Generator<Uint8Array, undefined, undefined> {
  yield* content;
}

/** A mount shows the inode number of the layer's file, and always its time of change. */
function isSameInode(a: number, b: number): boolean {
  fstat(a, statA);
  fstat(b, statB);
  return statA.ino === statB.ino && statA.ctimeNs === statB.ctimeNs;
}
