import type { ChainID } from "../spec/index.js";
import type { RootState } from "./root/root-state.js";

/** Who needs a layer's directory. */
export type Use =
  | { readonly kind: "layer"; readonly chainID: ChainID }
  /** The init layer of a container, or of what is named alike. */
  | { readonly kind: "init"; readonly name: string }
  /** The writable layer of a container; `name` is that in `layerdb/mounts`: the container's ID as a rule. */
  | { readonly kind: "writable"; readonly name: string };

/** What the metadata of a root says of each layer's directory, by name; those that nobody uses are not in it. */
export function usesOf({ layerdb }: RootState): Map<string, Use[]> {
  const uses = new Map<string, Use[]>();
  const add = (id: string | undefined, use: Use) => {
    if (id !== undefined) uses.set(id, [...(uses.get(id) ?? []), use]);
  };
  for (const { chainID, cacheID } of layerdb.layers.values()) if (chainID) add(cacheID, { kind: "layer", chainID });
  for (const [name, { mountID, initID }] of layerdb.mounts) {
    add(mountID, { kind: "writable", name });
    add(initID, { kind: "init", name });
  }
  return uses;
}
