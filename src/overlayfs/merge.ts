import { type Found, list, rootOf } from "./lookup.js";
import type { Directory, Inode, Tree } from "./tree.js";

const nothing: Tree = {
  kind: "directory",
  meta: { mode: 0o755, uid: 0, gid: 0, mtimeNs: 0n, xattrs: new Map() },
  entries: new Map(),
};

/** What processes see of `layers`, bottom first: a tree without whiteouts. Of no layers, an empty directory. */
export function merge(layers: readonly Tree[]): Tree {
  const root = rootOf(layers);
  return root ? mergedDirectory(layers, root) : nothing;
}

function mergedDirectory(layers: readonly Tree[], found: Found): Directory {
  const entries = new Map<string, Inode>();
  for (const [name, child] of list(layers, found)) {
    entries.set(name, child.places.length > 0 ? mergedDirectory(layers, child) : child.inode);
  }
  return { kind: "directory", meta: found.inode.meta, entries };
}
