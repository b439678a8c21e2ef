import { changesOf } from "./changes-of.js";
import { directoryOf, type OwnDirectory, type OwnInode } from "./own.js";
import { sameInode, sameMeta } from "./same.js";
import type { Directory, Inode, Tree, TreeChange } from "./tree.js";
import { walk } from "./walk.js";

/** The layer that makes `upper` out of `lower`, both merged trees, as changes: `apply` of it gives `upper`. */
export function* changes(lower: Tree, upper: Tree): Generator<TreeChange> {
  if (!sameMeta(lower.meta, upper.meta)) yield { kind: "directory", path: "", meta: upper.meta };
  yield* changesOf(difference(lower, upper));
}

/**
 * The layer that makes `upper` out of `lower`, both merged trees. A directory above a change is in it with its own
 * meta; what is gone is a whiteout; hard links are written together, since a layer links only what it has itself.
 */
export function difference(lower: Tree, upper: Tree): Tree {
  return directoryDifference(lower, upper, keptInodes(lower, upper)) ?? directoryOf(upper.meta);
}

/** @returns undefined when nothing in it, nor it itself, differs */
function directoryDifference(lower: Directory, upper: Directory, kept: Map<Inode, Inode>): OwnDirectory | undefined {
  const layer = directoryOf(upper.meta);
  for (const name of lower.entries.keys()) {
    if (!upper.entries.has(name)) layer.entries.set(name, { kind: "whiteout" });
  }
  for (const [name, inode] of upper.entries) {
    const changed = inodeDifference(lower.entries.get(name), inode, kept);
    if (changed) layer.entries.set(name, changed);
  }
  return layer.entries.size > 0 || !sameMeta(lower.meta, upper.meta) ? layer : undefined;
}

function inodeDifference(lower: Inode | undefined, upper: Inode, kept: Map<Inode, Inode>): OwnInode | undefined {
  if (upper.kind !== "directory") return lower !== undefined && kept.get(upper) === lower ? undefined : upper;
  if (lower?.kind === "directory") return directoryDifference(lower, upper, kept);
  const none: Directory = { ...upper, entries: new Map() };
  return directoryDifference(none, upper, kept) ?? directoryOf(upper.meta);
}

/**
 * Which inodes of `upper`, directories apart, need not be written, and what they are in `lower`: those that are the
 * same under each of their names. One of `lower` stands for one only: where links were broken, the others are written.
 */
function keptInodes(lower: Tree, upper: Tree): Map<Inode, Inode> {
  const below = new Map(walk(lower));
  const kept = new Map<Inode, Inode>();
  const taken = new Map<Inode, Inode>();
  const changed = new Set<Inode>();
  for (const [path, inode] of walk(upper)) {
    if (inode.kind === "directory") continue;
    const was = below.get(path);
    const other = kept.get(inode);
    const fits = was && sameInode(was, inode) && (other ?? was) === was && (taken.get(was) ?? inode) === inode;
    if (!fits) changed.add(inode);
    else taken.set(was, inode);
    if (fits) kept.set(inode, was);
  }
  for (const inode of changed) kept.delete(inode);
  return kept;
}
