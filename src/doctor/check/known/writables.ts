import { createHash } from "node:crypto";
import type { ChainID } from "../../../spec/index.js";
import { textOf } from "../../root/fact.js";
import type { MountEntry, RootState } from "../../root/root-state.js";
import type { KnownLayer } from "./expected-layers.js";
import { directoryOf, namesInLower } from "./short-names.js";

/** A writable layer: that of a container as a rule. What its entry does not say is taken from where else it stands. */
export interface KnownWritable {
  readonly name: string;
  /** Absent: `layerdb/mounts` has no such entry. */
  readonly entry?: MountEntry;
  readonly mountID: string;
  readonly initID?: string;
  readonly parent?: ChainID;
  /** Nothing tells which its directories were: these names are new ones. */
  readonly isLost?: boolean;
}

type Told = Pick<KnownWritable, "name" | "entry"> & { readonly mountID?: string };

export function knownWritables(
  state: RootState,
  layers: ReadonlyMap<ChainID, KnownLayer>,
  cacheIDs: ReadonlyMap<ChainID, string>,
): Map<string, KnownWritable> {
  const found = new Map<string, Told>();
  const claimed = new Set<string>(cacheIDs.values());
  for (const [name, entry] of state.layerdb.mounts) {
    const mountID = entry.mountID ?? entry.initID?.replace(/-init$/, "");
    if (mountID !== undefined) claimed.add(mountID);
    if (entry.node.kind === "directory") found.set(name, { name, entry, ...(mountID !== undefined && { mountID }) });
  }
  for (const [name, { config }] of state.containers) {
    // With neither configuration nor writable layer nothing is left of it.
    const isOurs = /^[0-9a-f]{64}$/.test(name) && config && isSeen(state, config.Driver);
    // A dead one is half removed.
    if (!found.has(name) && isOurs && !config.State?.Dead) found.set(name, { name });
  }
  const lost = [...found.values()].filter(({ mountID }) => mountID === undefined);
  const strays = pairs(state).filter((id) => !claimed.has(id) && !claimed.has(`${id}-init`));
  for (const writable of lost) {
    const mountID = lost.length === 1 && strays.length === 1 ? strays[0] : undefined;
    if (mountID !== undefined) found.set(writable.name, { ...writable, mountID });
  }
  return new Map([...found].map(([name, writable]) => [name, completed(state, layers, cacheIDs, writable)]));
}

function isSeen({ driver, others }: RootState, named: string | undefined): boolean {
  return named === undefined || named === driver || !(others as readonly string[]).includes(named);
}

/** Directories of containers: there is an init layer beside. */
function pairs({ directories }: RootState): string[] {
  return [...directories.keys()].filter((id) => directories.has(`${id}-init`));
}

function completed(
  state: RootState,
  layers: ReadonlyMap<ChainID, KnownLayer>,
  cacheIDs: ReadonlyMap<ChainID, string>,
  writable: Told,
): KnownWritable {
  const { name, entry } = writable;
  const isLost = writable.mountID === undefined;
  const mountID = writable.mountID ?? createHash("sha256").update(`mount of ${name}`).digest("hex");
  const beside = `${mountID}-init`;
  const initID = isLost || state.directories.has(beside) ? beside : entry?.initID;
  const parent = parentOf(state, layers, cacheIDs, name, entry, isLost ? undefined : (initID ?? mountID));
  return { ...writable, mountID, ...(initID && { initID }), ...(parent && { parent }), ...(isLost && { isLost }) };
}

/** As its entry says, if that is a layer; else what its directory lies on; else what the container's image has on top. */
function parentOf(
  state: RootState,
  layers: ReadonlyMap<ChainID, KnownLayer>,
  cacheIDs: ReadonlyMap<ChainID, string>,
  name: string,
  entry: MountEntry | undefined,
  directory: string | undefined,
): ChainID | undefined {
  if (entry?.parent && layers.has(entry.parent)) return entry.parent;
  const below = directory === undefined ? undefined : belowOf(state, directory);
  const byDirectory = below === undefined ? undefined : [...cacheIDs].find(([, id]) => id === below)?.[0];
  if (byDirectory) return byDirectory;
  const image = state.containers.get(name)?.config?.Image ?? "";
  const byImage = state.images.contents.get(image.replace(/^sha256:/, ""))?.chain.at(-1);
  if (entry?.parent) return entry.parent;
  // An entry that says none, and a directory that lies on nothing: it has none. With vfs directories do not say.
  const isOnNothing = state.driver !== "vfs" && below === undefined && directory !== undefined;
  return entry && !entry.facts.parent && isOnNothing ? undefined : byImage;
}

/** What a directory itself says that it lies on. */
export function belowOf({ directories, links }: RootState, id: string): string | undefined {
  const { lower, lowerID } = directories.get(id) ?? {};
  if (lowerID) return textOf(lowerID)?.trim();
  const [first] = namesInLower(textOf(lower) ?? "") ?? [];
  if (first === undefined) return undefined;
  const byLink = directoryOf(links.get(first)?.target);
  return byLink ?? [...directories].find(([, { link }]) => textOf(link) === first)?.[0];
}
