import { join } from "node:path";
import type { ChainID, ImageID } from "../../spec/index.js";
import type { Needs } from "../map/needs.js";
import { type Node, namesIn } from "../root/fact.js";
import { homeOf } from "../root/read-home.js";
import type { ContainerState, RootState } from "../root/root-state.js";
import { type Use, usesOf } from "../uses.js";

/** To whom a part of a data root belongs. */
export type Holder =
  /** A read-only layer: its directory, and its entry in the layerdb. */
  | { readonly kind: "layer"; readonly chainID: ChainID }
  /** What an image has besides layers. */
  | { readonly kind: "image"; readonly id: ImageID }
  /** A container: its writable layer, its init layer, its configuration and its logs. */
  | { readonly kind: "container"; readonly id: string }
  | { readonly kind: "volume"; readonly name: string }
  /** `build-cache`: dockerd's, and layers that a builder is making. `unused`: directories and entries of nobody. */
  | { readonly kind: (typeof others)[number] };

/** `temporary`: work in progress, or what is left of it. `metadata`: all the rest, down to the root itself. */
export const others = [
  "build-cache",
  "unused",
  "temporary",
  "quarantine",
  "migration",
  "other-driver",
  "metadata",
] as const;

/** A path of a data root, with all below it that is not another's, and whose it is. */
export interface Area {
  readonly holder: Holder;
  /** Absolute. */
  readonly path: string;
  /** Where what it takes can be remembered. */
  readonly lasting?: Lasting;
}

/** How it can be known, without looking at all of it, that a part takes what it took. */
export interface Lasting {
  /** Identifies it, and its state when the root was read. */
  readonly stamp: string;
  /** Absolute paths in it whose stamps tell of its state, too; nothing may be there. */
  readonly marks?: readonly string[];
  /** It was written to at some time or other, and counts as it is only when it has rested since. */
  readonly rests?: boolean;
  /** The writable layer of a container: its name in the driver's home, by which its mounts are known. */
  readonly writable?: string;
}

/** All of a data root, each path once; read-only layers first, each after those below it. The root itself is last. */
export function areasOf(state: RootState, needs: Needs): Area[] {
  const { root, layerdb, images } = state;
  const all = [...homeAreas(state, needs)];
  const claim = (holder: Holder, ...path: string[]) => all.push({ holder, path: join(...path) });
  // What is written once, and made anew rather than changed.
  const claimEntry = (holder: Holder, { stamp }: Node, ...path: string[]) =>
    all.push({ holder, path: path.join("/"), lasting: { stamp } });
  for (const [name, { chainID, node }] of layerdb.layers) {
    claimEntry(chainID ? { kind: "layer", chainID } : { kind: "unused" }, node, layerdb.path, "sha256", name);
  }
  for (const [name, { node }] of layerdb.mounts) {
    claimEntry(holderOfMount(state, name), node, layerdb.path, "mounts", name);
  }
  for (const name of layerdb.tmp.keys()) claim({ kind: "temporary" }, layerdb.path, "tmp", name);
  for (const [name, { id, node }] of images.contents) {
    claimEntry(id ? { kind: "image", id } : { kind: "unused" }, node, images.path, "imagedb/content/sha256", name);
  }
  for (const [name, { node }] of images.metadata) {
    const id = images.contents.get(name)?.id;
    claimEntry(id ? { kind: "image", id } : { kind: "unused" }, node, images.path, "imagedb/metadata/sha256", name);
  }
  for (const [id, container] of state.containers) {
    const path = join(root, "containers", id);
    const lasting = isStopped(container) && lastingContainer(path, container);
    all.push({ holder: { kind: "container", id }, path, ...(lasting && { lasting }) });
  }
  for (const name of volumesIn(root)) claim({ kind: "volume", name }, root, "volumes", name);
  for (const name of ["buildkit", "builder"]) claim({ kind: "build-cache" }, root, name);
  for (const name of state.tmp.keys()) claim({ kind: "temporary" }, root, "tmp", name);
  claim({ kind: "quarantine" }, root, "layerkit-quarantine");
  claim({ kind: "migration" }, root, "migration");
  for (const driver of state.others) {
    claim({ kind: "other-driver" }, homeOf(root, driver));
    claim({ kind: "other-driver" }, root, "image", driver);
  }
  claim({ kind: "metadata" }, root);
  return all;
}

/** Names of what lies in `volumes` as a volume does. */
export function volumesIn(root: string): string[] {
  const files = ["metadata.db", "backingFsBlockDev"];
  return namesIn(join(root, "volumes")).filter((name) => !files.includes(name));
}

function* homeAreas(state: RootState, needs: Needs): Generator<Area> {
  const uses = usesOf(state);
  const byDepth = [...state.directories.keys()]
    .map((name) => ({ name, use: uses.get(name)?.[0] }))
    .map((each) => ({ ...each, depth: depthOf(each.use, needs) }))
    .sort((a, b) => a.depth - b.depth);
  for (const { name, use } of byDepth) {
    const lasting = lastingOf(state, name, use);
    yield { holder: holderOf(state, needs, name, use), path: `${state.home}/${name}`, ...(lasting && { lasting }) };
  }
  for (const [name, { node, target }] of state.links) {
    const id = /^\.\.\/([^/]+)\/diff$/.exec(target ?? "")?.[1] ?? "";
    const isThere = state.directories.has(id);
    const holder = isThere ? holderOf(state, needs, id, uses.get(id)?.[0]) : ({ kind: "unused" } as const);
    yield { holder, path: `${state.home}/l/${name}`, lasting: { stamp: node.stamp } };
  }
}

/** Layers by their depth, and after them all else. */
function depthOf(use: Use | undefined, needs: Needs): number {
  return use?.kind === "layer" ? needs.chainOf(use.chainID).length : Number.MAX_SAFE_INTEGER;
}

/**
 * A layer's files never change, and a container's only while they are mounted. The kernel has every mount of an overlay
 * begin with an empty directory `work` in its workdir, which it makes anew. So the workdir tells of each mount, and of
 * what was not mounted since it was measured nothing has changed but by hand.
 */
function lastingOf(state: RootState, name: string, use: Use | undefined): Lasting | undefined {
  const { home, driver, containers, directories } = state;
  const isLayer = use?.kind === "layer";
  if (!isLayer && (driver === "vfs" || !use || !isStopped(containers.get(use.name)))) return undefined;
  const stamp = directories.get(name)?.node.stamp ?? "";
  const marks = marksOf[driver].map((each) => `${home}/${name}/${each}`);
  return { stamp, marks, ...(!isLayer && { rests: true, writable: name }) };
}

/** Configuration and logs: daemons make files anew, and what grows or is cut in place is a log. */
function lastingContainer(path: string, { node, nodes }: ContainerState): Lasting {
  const growing = [...nodes.keys()].filter((name) => name === "checkpoints" || name.includes(".log"));
  return { stamp: node.stamp, marks: growing.map((name) => `${path}/${name}`), rests: true };
}

/** Neither does it run nor is it about to be removed. */
function isStopped(container: ContainerState | undefined): boolean {
  const { Running = true, Dead = false } = container?.config?.State ?? {};
  return !Running && !Dead;
}

/** Directories in that of a layer: what is put directly into its files shows there, and a mount. */
const marksOf = { overlay2: ["diff", "work"], overlay: ["root", "upper", "work"], vfs: [] } as const;

function holderOf(state: RootState, { cached }: Needs, name: string, use: Use | undefined): Holder {
  if (use?.kind === "layer") return { kind: "layer", chainID: use.chainID };
  if (use) return holderOfMount(state, use.name);
  if (cached.has(name)) return { kind: "build-cache" };
  return isLayerName(name) ? { kind: "unused" } : { kind: "metadata" };
}

/** What a driver's home has for layers: dockerd's, ours, and those of its builder. Other names are nobody's to judge. */
export function isLayerName(name: string): boolean {
  return /^(?:[0-9a-f]{64}|[0-9a-z]{25})(?:-init|-removing)?$/.test(name);
}

/** Writable layers are named by their container; builders name theirs otherwise. */
function holderOfMount({ containers }: RootState, name: string): Holder {
  if (containers.has(name)) return { kind: "container", id: name };
  return /^[0-9a-f]{64}$/.test(name) ? { kind: "unused" } : { kind: "build-cache" };
}
