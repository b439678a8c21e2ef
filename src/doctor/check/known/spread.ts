import type { LayerDirectory } from "../../root/root-state.js";

/**
 * overlay: whether a layer is none of a whole tree but, like a container's, what it changes over one. BuildKit makes
 * images of such layers, and what is then loaded upon them is alike.
 */
export function isSpread({ nodes }: Pick<LayerDirectory, "nodes">): boolean {
  return !nodes.has("root") && nodes.has("upper") && nodes.has("lower-id");
}
