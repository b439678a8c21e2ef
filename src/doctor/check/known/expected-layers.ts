import { type ChainID, type DiffID, type ImageID, nextChainID } from "../../../spec/index.js";
import type { LayerEntry, RootState } from "../../root/root-state.js";

/** A layer that is in the layerdb, or that an image says should be. */
export interface KnownLayer {
  readonly chainID: ChainID;
  /** Absent: there is no directory of its name in the layerdb. */
  readonly entry?: LayerEntry;
  /** What makes its name: known of whatever an image stands on. Absent: it cannot be known. */
  readonly made?: { readonly diffID: DiffID; readonly parent?: ChainID };
  /** Images that stand on it. */
  readonly images: readonly ImageID[];
}

/** All layers, with what the images and the names alone prove about them. */
export function knownLayers({ layerdb, images }: RootState): Map<ChainID, KnownLayer> {
  const entries = new Map<ChainID, LayerEntry>();
  for (const entry of layerdb.layers.values()) if (entry.chainID) entries.set(entry.chainID, entry);
  const layers = new Map<ChainID, KnownLayer>();
  for (const { id, config, chain } of images.contents.values()) {
    if (!id || !config) continue;
    for (const [index, chainID] of chain.entries()) {
      const [diffID, parent] = [config.rootfs.diff_ids[index]!, chain[index - 1]];
      const users = [...(layers.get(chainID)?.images ?? []), id];
      layers.set(chainID, withEntry(chainID, entries, { made: { diffID, ...(parent && { parent }) }, images: users }));
    }
  }
  for (const [chainID, entry] of entries) {
    if (layers.has(chainID)) continue;
    const made = proved(chainID, entry, [...entries.keys()]);
    layers.set(chainID, { chainID, entry, ...(made && { made }), images: [] });
  }
  return layers;
}

function withEntry(
  chainID: ChainID,
  entries: ReadonlyMap<ChainID, LayerEntry>,
  rest: Pick<KnownLayer, "made" | "images">,
): KnownLayer {
  const entry = entries.get(chainID);
  return { chainID, ...(entry && { entry }), ...rest };
}

/** The name is a digest of DiffID and parent: whatever makes it is right. */
function proved(chainID: ChainID, { diffID, parent }: LayerEntry, others: readonly ChainID[]): KnownLayer["made"] {
  if (diffID === undefined) return undefined;
  if (nextChainID(parent, diffID) === chainID) return { diffID, ...(parent && { parent }) };
  const below = [undefined, ...others].find((other) => nextChainID(other, diffID) === chainID);
  if (below) return { diffID, parent: below };
  return nextChainID(undefined, diffID) === chainID ? { diffID } : undefined;
}
