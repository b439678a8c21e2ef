import type { ChainID } from "../../../spec/index.js";
import type { RootState } from "../../root/root-state.js";
import type { KnownLayer } from "./expected-layers.js";
import { belowOf, type KnownWritable } from "./writables.js";

/**
 * The directory of each layer as its entry says. Where several say one, it is that layer's upon whose parent the
 * directory lies; the others have lost theirs.
 */
export function toldDirectories(state: RootState, layers: ReadonlyMap<ChainID, KnownLayer>): Map<ChainID, string> {
  const told = new Map<ChainID, string>();
  const owners = new Map<string, KnownLayer>();
  for (const layer of layers.values()) {
    const id = layer.entry?.cacheID;
    if (id === undefined) continue;
    const other = owners.get(id);
    if (other && !liesOnItsParent(state, layers, layer, id)) continue;
    if (other) told.delete(other.chainID);
    told.set(layer.chainID, id);
    owners.set(id, layer);
  }
  return told;
}

function liesOnItsParent(
  state: RootState,
  layers: ReadonlyMap<ChainID, KnownLayer>,
  { made }: KnownLayer,
  id: string,
): boolean {
  return made !== undefined && belowOf(state, id) === (made.parent && layers.get(made.parent)?.entry?.cacheID);
}

/**
 * The directories of layers whose entries do not say which it is: the only one that nobody names and that lies on the
 * layer's parent, and no other layer's entry misses one there. Where a directory does not say what it lies on, there
 * may be only one such layer in all.
 */
export function lostDirectories(
  state: RootState,
  layers: ReadonlyMap<ChainID, KnownLayer>,
  told: ReadonlyMap<ChainID, string>,
  writables: ReadonlyMap<string, KnownWritable>,
): Map<ChainID, string> {
  const strays = straysIn(state, told, writables);
  const lost = [...layers.values()].filter(({ chainID }) => !told.has(chainID));
  const found = new Map<ChainID, string>();
  const parentOf = ({ made }: KnownLayer) => made?.parent && (told.get(made.parent) ?? found.get(made.parent));
  // Bottom up: where two lie on each other, the lower one is known first.
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const layer of lost) {
      const { chainID, made } = layer;
      const parent = parentOf(layer);
      if (!made || found.has(chainID) || (made.parent && !parent)) continue;
      const saysParent = state.driver === "overlay2";
      const rivals = lost.filter((other) => !saysParent || other.made?.parent === made.parent);
      const fits = strays.filter((id) => !saysParent || belowOf(state, id) === parent);
      if (rivals.length === 1 && fits.length === 1) found.set(chainID, fits[0]!);
    }
  }
  return found;
}

/** Layers' directories that nobody names. */
function straysIn(
  state: RootState,
  told: ReadonlyMap<ChainID, string>,
  writables: ReadonlyMap<string, KnownWritable>,
): string[] {
  const taken = new Set(told.values());
  for (const { mountID, initID } of writables.values()) for (const id of [mountID, initID]) if (id) taken.add(id);
  return [...state.directories].flatMap(([id, { nodes, node }]) =>
    node.kind === "directory" && !taken.has(id) && !state.cached.has(id) && isLayers(state, nodes) ? id : [],
  );
}

/** overlay: writable layers have no `root`. */
function isLayers({ driver }: RootState, nodes: ReadonlyMap<string, unknown>): boolean {
  return driver === "overlay" ? nodes.has("root") : driver === "vfs" || nodes.has("diff");
}
