import type { Path } from "../spec/index.js";
import { byteOrder } from "./byte-order.js";
import { inside, namesOf } from "./names.js";
import type { Directory, Inode, Tree } from "./tree.js";

/** Everything below the root, a directory before what is in it, names of one directory in byte order. */
export function* walk(tree: Tree, at: Path = ""): Generator<readonly [path: Path, inode: Inode]> {
  for (const [name, inode] of sorted(tree)) {
    const path = inside(at, name);
    yield [path, inode];
    if (inode.kind === "directory") yield* walk(inode, path);
  }
}

/** Entries of a directory in byte order. */
export function sorted(directory: Directory): [name: string, inode: Inode][] {
  return [...directory.entries].sort(([a], [b]) => byteOrder(a, b));
}

/** What one tree itself has at `path`, the root for `""`; symlinks are not followed. */
export function find(tree: Tree, path: Path): Inode | undefined {
  let at: Inode | undefined = tree;
  for (const name of namesOf(path)) at = at?.kind === "directory" ? at.entries.get(name) : undefined;
  return at;
}
