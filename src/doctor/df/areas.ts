import { join } from "node:path";
import type { ChainID, ImageID } from "../../spec/index.js";
import type { Needs } from "../map/needs.js";
import { namesIn } from "../root/fact.js";
import { homeOf } from "../root/read-home.js";
import type { RootState } from "../root/root-state.js";
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
  /** Its name in the driver's home, where it is a layer's files, which never change. */
  readonly fixed?: string;
}

/** All of a data root, each path once; read-only layers first, each after those below it. The root itself is last. */
export function areasOf(state: RootState, needs: Needs): Area[] {
  const { root, layerdb, images } = state;
  const all = [...homeAreas(state, needs)];
  const claim = (holder: Holder, ...path: string[]) => all.push({ holder, path: join(...path) });
  for (const [name, { chainID }] of layerdb.layers) {
    claim(chainID ? { kind: "layer", chainID } : { kind: "unused" }, layerdb.path, "sha256", name);
  }
  for (const name of layerdb.mounts.keys()) claim(holderOfMount(state, name), layerdb.path, "mounts", name);
  for (const name of layerdb.tmp.keys()) claim({ kind: "temporary" }, layerdb.path, "tmp", name);
  for (const [name, { id }] of images.contents) {
    claim(id ? { kind: "image", id } : { kind: "unused" }, images.path, "imagedb/content/sha256", name);
  }
  for (const name of images.metadata.keys()) {
    const id = images.contents.get(name)?.id;
    claim(id ? { kind: "image", id } : { kind: "unused" }, images.path, "imagedb/metadata/sha256", name);
  }
  for (const id of state.containers.keys()) claim({ kind: "container", id }, root, "containers", id);
  for (const name of volumesIn(root)) claim({ kind: "volume", name }, root, "volumes", name);
  for (const name of ["buildkit", "builder"]) claim({ kind: "build-cache" }, root, name);
  for (const name of namesIn(join(root, "tmp"))) claim({ kind: "temporary" }, root, "tmp", name);
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

/** A directory of a layer is its own; in it, what is not the layer's files changes, and is walked apart. */
function* homeAreas(state: RootState, needs: Needs): Generator<Area> {
  const uses = usesOf(state);
  const byDepth = [...state.directories.keys()]
    .map((name) => ({ name, use: uses.get(name)?.[0] }))
    .map((each) => ({ ...each, depth: depthOf(each.use, needs) }))
    .sort((a, b) => a.depth - b.depth);
  for (const { name, use } of byDepth) {
    const holder = holderOf(state, needs, name, use);
    const path = join(state.home, name);
    const files = state.driver === "overlay2" ? "diff" : "root";
    if (use?.kind === "layer" && state.driver !== "vfs") yield { holder, path: join(path, files), fixed: name };
    yield { holder, path, ...(use?.kind === "layer" && state.driver === "vfs" && { fixed: name }) };
  }
  for (const [name, { target }] of state.links) {
    const id = /^\.\.\/([^/]+)\/diff$/.exec(target ?? "")?.[1] ?? "";
    const isThere = state.directories.has(id);
    const holder = isThere ? holderOf(state, needs, id, uses.get(id)?.[0]) : ({ kind: "unused" } as const);
    yield { holder, path: join(state.home, "l", name) };
  }
}

/** Layers by their depth, and after them all else. */
function depthOf(use: Use | undefined, needs: Needs): number {
  return use?.kind === "layer" ? needs.chainOf(use.chainID).length : Number.MAX_SAFE_INTEGER;
}

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
