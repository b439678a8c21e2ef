import { join } from "node:path";
import { type ChainID, type DiffID, hexOf, type ImageID, shortID } from "../../spec/index.js";
import { isLayerName } from "../df/areas.js";
import { merge } from "../df/merge.js";
import { nameOf } from "../df/usage.js";
import { type WalkAllOptions, walkAll } from "../df/walk-all.js";
import type { RootState } from "../root/root-state.js";
import { type Use, usesOf } from "../uses.js";
import { type Needs, needsOf } from "./needs.js";

/** What each directory in a driver's home is for, as `GET /layerkit/layers` serves it. */
export interface RootMap {
  readonly Root: string;
  readonly Driver: string;
  /** Layers first, each after the one it lies on; then what is upon them; what nobody needs last. */
  readonly Directories: readonly MappedDirectory[];
  readonly Images: readonly MappedImage[];
  readonly Containers: readonly MappedContainer[];
}

export interface MappedDirectory {
  /** In the driver's home. */
  readonly Name: string;
  /** Absolute path of the files in it. */
  readonly Directory: string;
  /**
   * `builder`: a writable layer that is no container's, or known to dockerd's build cache alone; `unused`: nobody needs
   * it; `unknown`: it is no layer.
   */
  readonly Use: "layer" | "init" | "container" | "builder" | "unused" | "unknown";
  /** Its short name in `l`. */
  readonly Link?: string;
  readonly ChainID?: ChainID;
  readonly DiffID?: DiffID;
  /** ChainID of the layer it lies on. */
  readonly Parent?: ChainID;
  /** Bytes: of a layer as recorded, the sum of its files' sizes; of others what they take, when that was asked for. */
  readonly Size?: number;
  /** Images that have it; names, or the short ID of an untagged one. */
  readonly Images: readonly string[];
  /** The container whose it is; of a layer, those that lie on it. Names, or the ID where there is none. */
  readonly Containers: readonly string[];
}

export interface MappedImage {
  readonly Id: ImageID;
  readonly Names: readonly string[];
  /** Bottom first. */
  readonly Layers: readonly ChainID[];
  /** What made each of them; empty where that cannot be told. */
  readonly CreatedBy: readonly string[];
}

export interface MappedContainer {
  readonly Id: string;
  readonly Name: string;
  readonly Image: string;
  /** Directories of its own, the upper first. */
  readonly Directories: readonly string[];
  /** The layer that these lie on. */
  readonly Layer?: ChainID;
}

/** @param options with `size`, what is no layer is walked to tell what it takes */
export async function mapOf(
  state: RootState,
  { size = false, ...options }: WalkAllOptions & { readonly size?: boolean | undefined } = {},
): Promise<RootMap> {
  const needs = needsOf(state);
  const directories = directoriesOf(state, needs);
  const measured = size ? await sizesOf(state, directories, options) : new Map<string, number>();
  const Directories = directories.map((each) => {
    const Size = each.Use === "layer" ? each.Size : measured.get(each.Name);
    return { ...each, ...(Size !== undefined && { Size }) };
  });
  return {
    Root: state.root,
    Driver: state.driver,
    Directories,
    Images: imagesOf(state, needs),
    Containers: containersOf(state),
  };
}

const order: readonly MappedDirectory["Use"][] = ["layer", "init", "container", "builder", "unused", "unknown"];

function directoriesOf(state: RootState, needs: Needs): MappedDirectory[] {
  const uses = usesOf(state);
  const links = linksOf(state);
  const depth = ({ ChainID }: MappedDirectory) => (ChainID ? needs.chainOf(ChainID).length : 0);
  return [...state.directories.keys()]
    .map((name) => {
      const Link = links.get(name);
      return {
        Name: name,
        Directory: treeOf(state, name),
        ...(Link && { Link }),
        ...purposeOf(state, needs, name, uses.get(name)),
      };
    })
    .sort((a, b) => order.indexOf(a.Use) - order.indexOf(b.Use) || depth(a) - depth(b));
}

function purposeOf(
  state: RootState,
  needs: Needs,
  name: string,
  [use]: readonly Use[] = [],
): Omit<MappedDirectory, "Name" | "Directory" | "Link"> {
  const nobody = { Images: [], Containers: [] };
  if (use?.kind === "layer") return ofLayer(state, needs, use.chainID);
  if (!use && needs.cached.has(name)) return { Use: "builder", ...nobody };
  if (!use) return { Use: isLayerName(name) ? "unused" : "unknown", ...nobody };
  const parent = state.layerdb.mounts.get(use.name)?.parent;
  const upon = { ...(parent && { Parent: parent }), Images: [] };
  if (state.containers.has(use.name)) {
    return { Use: use.kind === "init" ? "init" : "container", ...upon, Containers: [called(state, use.name)] };
  }
  return { Use: /^[0-9a-f]{64}$/.test(use.name) ? "unused" : "builder", ...upon, Containers: [] };
}

function ofLayer({ layerdb, ...state }: RootState, needs: Needs, chainID: ChainID) {
  const { diffID, parent, diffSize } = layerdb.layers.get(hexOf(chainID)) ?? {};
  const images = needs.imagesOf.get(chainID) ?? [];
  const mounts = needs.mountsOf.get(chainID) ?? [];
  const isNeeded = images.length + mounts.length > 0 || needs.cached.has(chainID);
  return {
    Use: isNeeded ? ("layer" as const) : ("unused" as const),
    ChainID: chainID,
    ...(diffID && { DiffID: diffID }),
    ...(parent && { Parent: parent }),
    ...(diffSize !== undefined && { Size: diffSize }),
    Images: images.flatMap((id) => needs.namesOf.get(id) ?? [shortID(id)]),
    Containers: mounts.filter((name) => state.containers.has(name)).map((name) => called(state, name)),
  };
}

function called({ containers }: Pick<RootState, "containers">, id: string): string {
  return nameOf(containers.get(id)?.config) || id;
}

function treeOf({ home, driver, directories }: RootState, name: string): string {
  const nodes = directories.get(name)?.nodes;
  const tree = driver === "vfs" ? "" : (["diff", "root", "upper"].find((each) => nodes?.has(each)) ?? "");
  return join(home, name, tree);
}

function linksOf({ links }: RootState): Map<string, string> {
  const byName = new Map<string, string>();
  for (const [link, { target }] of links) byName.set(/^\.\.\/([^/]+)\/diff$/.exec(target ?? "")?.[1] ?? "", link);
  return byName;
}

function imagesOf({ images }: RootState, needs: Needs): MappedImage[] {
  return [...images.contents.values()].flatMap(({ id, chain, config }) => {
    if (!id) return [];
    const steps = (config?.history ?? []).filter((step) => !step.empty_layer).map((step) => step.created_by ?? "");
    const CreatedBy = steps.length === chain.length ? steps : [];
    return [{ Id: id, Names: needs.namesOf.get(id) ?? [], Layers: chain, CreatedBy }];
  });
}

function containersOf({ containers, layerdb }: RootState): MappedContainer[] {
  return [...containers].map(([id, { config }]) => {
    const { mountID, initID, parent } = layerdb.mounts.get(id) ?? {};
    return {
      Id: id,
      Name: nameOf(config) ?? "",
      Image: config?.Config?.Image ?? config?.Image ?? "",
      Directories: [mountID, initID].filter((each) => each !== undefined),
      ...(parent && { Layer: parent }),
    };
  });
}

async function sizesOf(
  { home }: RootState,
  all: readonly MappedDirectory[],
  options: WalkAllOptions,
): Promise<Map<string, number>> {
  const names = all.filter(({ Use }) => Use !== "layer").map(({ Name }) => Name);
  const walks = await walkAll(
    names.map((name) => ({ path: join(home, name), stops: [] })),
    options,
  );
  const { rooms } = merge(walks);
  return new Map(names.map((name, at) => [name, rooms[at]?.Bytes ?? 0]));
}
