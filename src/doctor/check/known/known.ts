import { type ChainID, hexOf, type ImageID } from "../../../spec/index.js";
import type { MountEntry, RootState } from "../../root/root-state.js";
import type { Use } from "../../uses.js";
import { type KnownLayer, knownLayers } from "./expected-layers.js";
import { lostDirectories, toldDirectories } from "./lost-directories.js";
import { neededLayers } from "./needed.js";
import { ShortNames } from "./short-names.js";
import { type KnownWritable, knownWritables } from "./writables.js";

/**
 * A root as it lies there, and what can be known of how it should be: whatever is missing or damaged is put in from
 * what tells it elsewhere, so that one damage is one finding and not one for each thing that hangs on it.
 */
export interface Known {
  readonly state: RootState;
  /** Whether a daemon may be at work in the root meanwhile. */
  readonly isLive: boolean;
  readonly layers: ReadonlyMap<ChainID, KnownLayer>;
  /** By its name in `layerdb/mounts`. */
  readonly writables: ReadonlyMap<string, KnownWritable>;
  /** The directory of each layer; absent where it cannot be known. */
  readonly cacheIDs: ReadonlyMap<ChainID, string>;
  /** The directory below each that is in use; undefined: it is a bottom one. */
  readonly below: ReadonlyMap<string, string | undefined>;
  /** Directories that others lie on. */
  readonly carrying: ReadonlySet<string>;
  /** Who needs a directory in the home, by its name. */
  readonly uses: ReadonlyMap<string, readonly Use[]>;
  readonly names: ShortNames;
  /** Layers that somebody needs. */
  readonly needed: ReadonlySet<ChainID>;
}

export function know(state: RootState, isLive: boolean): Known {
  const layers = knownLayers(state);
  const told = toldDirectories(state, layers);
  const writables = knownWritables(state, layers, told);
  const cacheIDs = new Map([...told, ...lostDirectories(state, layers, told, writables)]);
  const below = belowEach(layers, writables, cacheIDs);
  const uses = usesOfAll(cacheIDs, writables);
  const names = new ShortNames(state, below);
  const needed = neededLayers(state, layers, writables);
  const carrying = new Set([...below.values()].flatMap((id) => id ?? []));
  return { state, isLive, layers, writables, cacheIDs, below, carrying, uses, names, needed };
}

function belowEach(
  layers: Known["layers"],
  writables: Known["writables"],
  cacheIDs: Known["cacheIDs"],
): Map<string, string | undefined> {
  const below = new Map<string, string | undefined>();
  for (const [chainID, id] of cacheIDs) {
    const { made } = layers.get(chainID)!;
    if (!made) continue;
    const parent = made.parent && cacheIDs.get(made.parent);
    if (made.parent === undefined || parent !== undefined) below.set(id, parent);
  }
  for (const { mountID, initID, parent } of writables.values()) {
    const image = parent && cacheIDs.get(parent);
    const known = parent === undefined || image !== undefined;
    if (initID !== undefined && known) below.set(initID, image);
    if (mountID !== undefined && (initID !== undefined || known)) below.set(mountID, initID ?? image);
  }
  return below;
}

function usesOfAll(cacheIDs: Known["cacheIDs"], writables: Known["writables"]): Map<string, Use[]> {
  const uses = new Map<string, Use[]>();
  const add = (id: string | undefined, use: Use) => {
    if (id !== undefined) uses.set(id, [...(uses.get(id) ?? []), use]);
  };
  for (const [chainID, id] of cacheIDs) add(id, { kind: "layer", chainID });
  for (const { name, mountID, initID } of writables.values()) {
    add(mountID, { kind: "writable", name });
    add(initID, { kind: "init", name });
  }
  return uses;
}

/** Who cannot be used wholly when something is the matter with these layers. */
export function whoNeeds(known: Known, chainIDs: readonly ChainID[]): { images: ImageID[]; containers: string[] } {
  const images = new Set(chainIDs.flatMap((chainID) => known.layers.get(chainID)?.images ?? []));
  const containers = [...known.writables.values()].filter(({ parent }) => {
    for (let at = parent; at; at = known.layers.get(at)?.made?.parent) if (chainIDs.includes(at)) return true;
    return false;
  });
  return { images: [...images], containers: containers.filter(isContainers).map(({ name }) => name) };
}

/** Likewise, with a directory of the home. */
export function whoNeedsDirectory(known: Known, id: string): { images: ImageID[]; containers: string[] } {
  const uses = known.uses.get(id) ?? [];
  const { images, containers } = whoNeeds(
    known,
    uses.flatMap((use) => (use.kind === "layer" ? use.chainID : [])),
  );
  const own = uses.flatMap((use) => (use.kind === "layer" ? [] : use.name));
  return { images, containers: [...new Set([...containers, ...own])] };
}

/** Builders have writable layers too; containers' are called by their ID. */
export function isContainers({ name }: { readonly name: string }): boolean {
  return /^[0-9a-f]{64}$/.test(name);
}

/** Who runs is not to be disturbed: what is mounted is theirs. */
export function isRunning({ state }: Known, name: string): boolean {
  return state.containers.get(name)?.config?.State?.Running === true;
}

/** A container that was being removed: of its layers may be left what will. */
export function isDead({ state }: Known, name: string): boolean {
  return state.containers.get(name)?.config?.State?.Dead === true;
}

export function layerPath({ state }: Pick<Known, "state">, chainID: ChainID): string {
  return `${state.layerdb.path}/sha256/${hexOf(chainID)}`;
}

export type { KnownLayer, KnownWritable, MountEntry };
