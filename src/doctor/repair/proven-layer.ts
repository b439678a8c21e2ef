import { type CacheID, type ChainID, type DiffID, hexOf, type ImageID, nextChainID } from "../../spec/index.js";
import type { RootState } from "../root/root-state.js";
import { usesOf } from "../uses.js";

/** What is known of a layer for certain, whatever has become of its files: its ChainID is a hash of it. */
export interface ProvenLayer {
  readonly chainID: ChainID;
  readonly diffID: DiffID;
  readonly parent?: ChainID;
}

/** @returns undefined: nothing in the root says what the layer was */
export function provenLayer(state: RootState, chainID: ChainID): ProvenLayer | undefined {
  for (const [image, at] of imagesWith(state, chainID)) {
    const { config, chain } = state.images.contents.get(hexOf(image))!;
    return layer(chainID, config!.rootfs.diff_ids[at]!, chain[at - 1]);
  }
  const { layers } = state.layerdb;
  const diffID = layers.get(hexOf(chainID))?.diffID;
  if (diffID === undefined) return undefined;
  // Its `parent` may be damaged: only one of all layers makes the hash right.
  const parents = [
    undefined,
    ...Array.from(layers.values(), (entry) => entry.chainID).filter((id) => id !== undefined),
  ];
  const parent = parents.find((below) => nextChainID(below, diffID) === chainID);
  const isProven = nextChainID(parent, diffID) === chainID;
  return isProven ? layer(chainID, diffID, parent) : undefined;
}

function layer(chainID: ChainID, diffID: DiffID, parent: ChainID | undefined): ProvenLayer {
  return { chainID, diffID, ...(parent && { parent }) };
}

/** Images that have the layer, and its place in each, from the bottom, from 0. */
export function imagesWith({ images }: RootState, chainID: ChainID): [id: ImageID, at: number][] {
  return Array.from(images.contents.values()).flatMap(({ id, chain }) => {
    const at = chain.indexOf(chainID);
    return id && at >= 0 ? [[id, at] as [ImageID, number]] : [];
  });
}

/** Layers below it in its chain; those that are not known are not counted. */
export function depthOf(state: RootState, chainID: ChainID): number {
  for (const [, at] of imagesWith(state, chainID)) return at;
  const seen = new Set<ChainID>();
  for (let at = provenLayer(state, chainID)?.parent; at && !seen.has(at); at = provenLayer(state, at)?.parent)
    seen.add(at);
  return seen.size;
}

/**
 * The driver's directory that is the layer's: as its entry says, or as the layers that stand on it do.
 *
 * @returns undefined: nothing says which, or what says so is another's too
 */
export function directoryOf(state: RootState, chainID: ChainID): CacheID | undefined {
  const own = state.layerdb.layers.get(hexOf(chainID))?.cacheID ?? belowChildren(state, chainID);
  if (own === undefined) return undefined;
  const others = (usesOf(state).get(own) ?? []).filter((use) => use.kind !== "layer" || use.chainID !== chainID);
  return others.length === 0 ? (own as CacheID) : undefined;
}

/** overlay2: what the first name in `lower` of a layer upon it leads to. */
function belowChildren(state: RootState, chainID: ChainID): string | undefined {
  for (const { parent, cacheID } of [...state.layerdb.layers.values(), ...initLayers(state)]) {
    if (parent !== chainID || cacheID === undefined) continue;
    const link = firstLowerOf(state, cacheID);
    const id = link === undefined ? undefined : targetOf(state, link);
    if (id !== undefined) return id;
  }
  return undefined;
}

/** What of containers stands on an image's layer: the init layer, or the writable one where there is none. */
function initLayers({ layerdb }: RootState): { readonly parent?: ChainID; readonly cacheID?: string }[] {
  return Array.from(layerdb.mounts.values(), ({ parent, initID, mountID }) => ({
    ...(parent && { parent }),
    ...((initID ?? mountID) && { cacheID: (initID ?? mountID)! }),
  }));
}

/** The short name that a layer upon `chainID` knows it by. */
export function linkByChildren(state: RootState, chainID: ChainID): string | undefined {
  for (const { parent, cacheID } of [...state.layerdb.layers.values(), ...initLayers(state)]) {
    const link = parent === chainID && cacheID !== undefined ? firstLowerOf(state, cacheID) : undefined;
    if (link !== undefined) return link;
  }
  return undefined;
}

function firstLowerOf({ directories }: RootState, cacheID: string): string | undefined {
  const fact = directories.get(cacheID)?.lower;
  return fact && "text" in fact ? /^l\/([A-Z2-7]{26})(:|$)/.exec(fact.text)?.[1] : undefined;
}

/** By the link itself, or by the `link` file that names it. */
function targetOf({ links, directories }: RootState, link: string): string | undefined {
  const id = /^\.\.\/([0-9a-f]{64})\/diff$/.exec(links.get(link)?.target ?? "")?.[1];
  if (id !== undefined) return id;
  for (const [name, { link: fact }] of directories) {
    if (fact && "text" in fact && fact.text === link && /^[0-9a-f]{64}$/.test(name)) return name;
  }
  return undefined;
}
