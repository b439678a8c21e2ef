import type { Path } from "../spec/index.js";
import type { Inode, Tree, TreeChange } from "./tree.js";
import { walk } from "./walk.js";

/**
 * The changes a layer's tree stands for, in the order of `walk`; the first name of an inode is the file, further ones
 * are hard links to it. The root is not among them, but for its being opaque.
 */
export function* changesOf(tree: Tree): Generator<TreeChange> {
  const first = new Map<Inode, Path>();
  if (tree.opaque) yield { kind: "opaque", path: "" };
  for (const [path, inode] of walk(tree)) {
    const to = first.get(inode);
    if (to === undefined) yield headOf(path, inode);
    else if (inode.kind !== "whiteout") yield { kind: "hardlink", path, to, meta: inode.meta };
    else yield { path, ...inode };
    if (inode.kind !== "directory" && to === undefined) first.set(inode, path);
    if (inode.kind === "directory" && inode.opaque) yield { kind: "opaque", path };
  }
}

function headOf(path: Path, inode: Inode): TreeChange {
  if (inode.kind !== "directory") return { path, ...inode };
  const { kind, meta, redirect } = inode;
  return { kind, path, meta, ...(redirect !== undefined && { redirect }) };
}
