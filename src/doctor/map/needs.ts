import { type ChainID, hexOf, type ImageID } from "../../spec/index.js";
import type { RootState } from "../root/root-state.js";

/** Who needs what in a data root, read out of its metadata. Damaged metadata needs nothing that can be told. */
export interface Needs {
  /** Names of each image as `docker images` shows them, sorted; none for an untagged one. */
  readonly namesOf: ReadonlyMap<ImageID, readonly string[]>;
  /** Images that have a layer, in the order of their IDs. */
  readonly imagesOf: ReadonlyMap<ChainID, readonly ImageID[]>;
  /** Names in `layerdb/mounts` whose writable layer lies on a layer, or on one above it. */
  readonly mountsOf: ReadonlyMap<ChainID, readonly string[]>;
  /** IDs of containers made of an image. */
  readonly containersOf: ReadonlyMap<ImageID, readonly string[]>;
  /** IDs of containers that have a volume, by its name. */
  readonly usersOf: ReadonlyMap<string, readonly string[]>;
  /** Layers that dockerd's build cache speaks of, with those below, and directories that it alone knows. */
  readonly cached: ReadonlySet<string>;
  /** Layers that an interrupted pull had brought, with those below. */
  readonly kept: ReadonlySet<ChainID>;
  /** A layer and those below it, bottom first, as far as the layerdb tells. */
  chainOf(top: ChainID): readonly ChainID[];
}

export function needsOf(state: RootState): Needs {
  const namesOf = new Map<ImageID, string[]>();
  for (const [name, id] of state.images.repositories.references ?? []) push(namesOf, id as ImageID, name);
  for (const names of namesOf.values()) names.sort();
  const imagesOf = new Map<ChainID, ImageID[]>();
  for (const { id, chain } of state.images.contents.values()) {
    if (id) for (const chainID of new Set(chain)) push(imagesOf, chainID, id);
  }
  const chains = new Map<ChainID, readonly ChainID[]>();
  const chainOf = (top: ChainID) => {
    const chain = chains.get(top) ?? chainIn(state, top);
    chains.set(top, chain);
    return chain;
  };
  const mountsOf = new Map<ChainID, string[]>();
  for (const [name, { parent }] of state.layerdb.mounts) {
    if (parent) for (const chainID of chainOf(parent)) push(mountsOf, chainID, name);
  }
  const containersOf = new Map<ImageID, string[]>();
  const usersOf = new Map<string, string[]>();
  for (const [id, { config }] of state.containers) {
    if (config?.Image) push(containersOf, config.Image as ImageID, id);
    for (const { Type, Name } of Object.values(config?.MountPoints ?? {})) {
      if (Name && (Type === "volume" || !Type)) push(usersOf, Name, id);
    }
  }
  const withBelow = (names: ReadonlySet<string>) =>
    [...names].flatMap((name) => (name.startsWith("sha256:") ? chainOf(name as ChainID) : []));
  const cached = new Set<string>([...state.cached, ...withBelow(state.cached)]);
  return { namesOf, imagesOf, mountsOf, containersOf, usersOf, cached, kept: new Set(withBelow(state.kept)), chainOf };
}

function chainIn({ layerdb }: RootState, top: ChainID): ChainID[] {
  // In the order of their coming, which a set keeps.
  const chain = new Set<ChainID>();
  for (let at: ChainID | undefined = top; at && !chain.has(at); at = layerdb.layers.get(hexOf(at))?.parent)
    chain.add(at);
  return [...chain].reverse();
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const there = map.get(key);
  if (there) there.push(value);
  else map.set(key, [value]);
}
