import type { ChainID } from "../../../spec/index.js";
import type { RootState } from "../../root/root-state.js";
import type { KnownLayer } from "./expected-layers.js";
import type { KnownWritable } from "./writables.js";

/**
 * Layers that an image, a container, the build cache, an interrupted pull or a layer upon them needs. Images that are
 * damaged may need any.
 */
export function neededLayers(
  state: RootState,
  layers: ReadonlyMap<ChainID, KnownLayer>,
  writables: ReadonlyMap<string, KnownWritable>,
): Set<ChainID> {
  const isUnsure = [...state.images.contents.values()].some(({ id, config }) => id && !config);
  const roots = isUnsure
    ? [...layers.keys()]
    : [
        ...[...layers.values()].flatMap(({ chainID, images }) => (images.length > 0 ? chainID : [])),
        ...[...writables.values()].flatMap(({ parent }) => parent ?? []),
        ...[...layers.keys()].filter((chainID) => state.kept.has(chainID) || state.cached.has(chainID)),
      ];
  const found = new Set<ChainID>();
  for (const root of roots) {
    for (let at: ChainID | undefined = root; at && !found.has(at); at = layers.get(at)?.made?.parent) found.add(at);
  }
  return found;
}
