import { merge } from "./merge.js";
import type { Tree, TreeChange } from "./tree.js";
import { treeOf } from "./tree-of.js";

/** What a layer of changes makes of the tree below it; the root keeps its own `Meta` unless the layer changes it. */
export function apply(tree: Tree, changes: Iterable<TreeChange>): Tree {
  const layer = treeOf(changes, tree.meta);
  return merge([tree, layer]);
}
