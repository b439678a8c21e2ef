import { join } from "node:path";
import { type ChainID, hexOf, randomID, shortID } from "../../spec/index.js";
import { isNote } from "../check/rules/temporary.js";
import { isLayerName } from "../df/areas.js";
import { type Needs, needsOf } from "../map/needs.js";
import type { LayerEntry, MountEntry, RootState } from "../root/root-state.js";
import { usesOf } from "../uses.js";
import type { Doubts } from "./doubts.js";
import type { Item, Step } from "./item.js";

/** What nobody needs, as far as there is no doubt; in the order in which it can go. */
export function leftoversIn(found: RootState, doubts: Doubts, isLive: boolean): Item[] {
  const writables = doubts.layers.length > 0 ? [] : lonelyWritables(found);
  const state = withoutMounts(found, writables);
  const needs = needsOf(state);
  const links = linksTo(state);
  const claimed = new Set<string>();
  const layers = doubts.layers.length > 0 ? [] : unusedLayers(state, needs);
  const isKept = keptBy(state, layers);
  // A directory goes with the first that tells of it, if nobody else does.
  const take = (ids: readonly (string | undefined)[]) =>
    ids.filter((id): id is string => {
      if (id === undefined || claimed.has(id) || !state.directories.has(id) || isKept(id)) return false;
      claimed.add(id);
      return true;
    });
  const goes = (ids: readonly string[]) => ids.flatMap((id) => [...(links.get(id) ?? []), join(state.home, id)]);
  return [
    ...writables.map(([name, entry]) => writableItem(state, name, entry, goes(take([entry.mountID, entry.initID])))),
    ...layers.map((layer) => layerItem(state, layer, goes(take([layer.cacheID])))),
    ...(doubts.directories.length > 0 ? [] : unusedDirectories(state, needs, isLive)).flatMap((id) =>
      take([id]).length === 0 ? [] : [item("directory", state, join(state.home, id), goes([id]))],
    ),
    ...(doubts.directories.length > 0 ? [] : danglingLinks(state)).map((path) => item("link", state, path)),
    ...records(state, isLive).map((path) => item("record", state, path)),
    ...(isLive ? [] : temporary(state)).map((path) => item("temporary", state, path)),
  ];
}

/** Whether a directory is somebody's who stays, whoever else names it. */
function keptBy(state: RootState, going: readonly LayerEntry[]): (id: string) => boolean {
  const uses = usesOf(state);
  const gone = new Set(going.map(({ chainID }) => chainID));
  return (id) => (uses.get(id) ?? []).some((use) => use.kind !== "layer" || !gone.has(use.chainID));
}

/** What lies below a writable layer that goes is needed by others, or by nobody. */
function withoutMounts(state: RootState, gone: readonly [string, MountEntry][]): RootState {
  const names = new Set(gone.map(([name]) => name));
  const mounts = new Map([...state.layerdb.mounts].filter(([name]) => !names.has(name)));
  return { ...state, layerdb: { ...state.layerdb, mounts } };
}

function item(kind: Item["kind"], { root }: RootState, path: string, paths: readonly string[] = [path]): Item {
  return { kind, name: path.slice(root.length + 1), paths, steps: paths.map(removal) };
}

function removal(path: string): Step {
  return { do: "remove", path };
}

/** Paths of the short names of each directory. */
function linksTo({ links, home }: RootState): Map<string, string[]> {
  const to = new Map<string, string[]>();
  for (const [name, { target }] of links) {
    const id = idIn(target);
    if (id !== undefined) to.set(id, [...(to.get(id) ?? []), join(home, "l", name)]);
  }
  return to;
}

function idIn(target: string | undefined): string | undefined {
  return /^\.\.\/([^/]+)\/diff$/.exec(target ?? "")?.[1];
}

/** Layers that no image, writable layer or build cache needs, each before those below it. */
function unusedLayers({ layerdb }: RootState, needs: Needs): LayerEntry[] {
  const isNeeded = (chainID: ChainID) =>
    needs.imagesOf.has(chainID) || needs.mountsOf.has(chainID) || needs.cached.has(chainID);
  const unused = [...layerdb.layers.values()].filter(({ chainID }) => chainID && !isNeeded(chainID));
  const depth = ({ chainID }: LayerEntry) => needs.chainOf(chainID!).length;
  // Who has damaged one below has it still.
  return unused.sort((a, b) => depth(b) - depth(a));
}

function layerItem(state: RootState, { chainID }: LayerEntry, directories: readonly string[]): Item {
  const entry = join(state.layerdb.path, "sha256", hexOf(chainID!));
  const dying = `${entry}-${randomID()}-removing`;
  return {
    kind: "layer",
    name: chainID!,
    paths: [entry, ...directories],
    steps: [{ do: "move", from: entry, to: dying }, ...directories.map(removal), removal(dying)],
  };
}

/** Writable layers of containers that are gone. Others are named by whoever made them, as builders do. */
function lonelyWritables(state: RootState): [string, MountEntry][] {
  const { layerdb, containers } = state;
  return [...layerdb.mounts].filter(
    ([name, { mountID, initID }]) =>
      /^[0-9a-f]{64}$/.test(name) && mountID && initID && !containers.has(name) && !isSeen(state, mountID),
  );
}

function writableItem(state: RootState, name: string, entry: MountEntry, directories: readonly string[]): Item {
  const path = join(state.layerdb.path, "mounts", name);
  const dying = join(state.layerdb.path, "tmp", `write-set-${entry.mountID}`);
  return {
    kind: "writable",
    name: shortID(name),
    paths: [path, ...directories],
    steps: [{ do: "move", from: path, to: dying }, ...directories.map(removal), removal(dying)],
  };
}

function unusedDirectories(state: RootState, { cached }: Needs, isLive: boolean): string[] {
  const uses = usesOf(state);
  const busy = isLive ? underWay(state) : new Set<string>();
  return [...state.directories.values()]
    .filter(({ node }) => node.kind === "directory" && isLayerName(node.name))
    .map(({ node }) => node.name)
    .filter((name) => !uses.has(name) && !cached.has(name) && !busy.has(name) && !isSeen(state, name));
}

/** Whether processes see what is mounted in a directory, whatever is written of it. */
export function isSeen({ inUse, home }: RootState, id: string | undefined): boolean {
  return id !== undefined && [...inUse].some((path) => path.startsWith(`${home}/${id}/`));
}

/** Directories of layers that are being made or removed: a write set or an entry without its name tells of each. */
function underWay({ layerdb }: RootState): Set<string> {
  const made = [...layerdb.tmp.keys()].map((name) => name.replace(/^write-set-/, ""));
  const removed = [...layerdb.layers.values()].filter(({ chainID }) => !chainID).map(({ cacheID = "" }) => cacheID);
  return new Set([...made, ...removed].flatMap((id) => [id, `${id}-init`]));
}

/** Short names of directories that are gone and that nobody needs, neither by name nor by these. */
function danglingLinks(state: RootState): string[] {
  const uses = usesOf(state);
  const lowers = [...state.directories.values()].map(({ lower }) => (lower && "text" in lower ? lower.text : ""));
  return [...state.links]
    .filter(([name, { target }]) => {
      const id = idIn(target);
      const isGone = id !== undefined && !state.directories.has(id) && !uses.has(id);
      return isGone && !lowers.some((text) => text.includes(`l/${name}`));
    })
    .map(([name]) => join(state.home, "l", name));
}

/** Entries of what is being removed, and what is known of images that are gone. */
function records({ layerdb, images }: RootState, isLive: boolean): string[] {
  const removing = [...layerdb.layers.keys()].filter((name) => /^[0-9a-f]{64}-.*removing$/.test(name));
  const named = new Set([...(images.repositories.references?.values() ?? [])].map((id) => id.replace(/^sha256:/, "")));
  const forgotten = [...images.metadata.keys()].filter(
    (hex) => /^[0-9a-f]{64}$/.test(hex) && !images.contents.has(hex) && !named.has(hex),
  );
  return [
    ...(isLive ? [] : removing).map((name) => join(layerdb.path, "sha256", name)),
    ...(images.repositories.problem === undefined ? forgotten : []).map((hex) =>
      join(images.path, "imagedb/metadata/sha256", hex),
    ),
  ];
}

/** What interrupted work has left, where nobody works. */
function temporary({ root, tmp, layerdb, images }: RootState): string[] {
  const written = (names: Iterable<string>) => [...names].filter((name) => name.startsWith(".tmp-"));
  return [
    ...[...layerdb.tmp.keys()].map((name) => join(layerdb.path, "tmp", name)),
    ...[...tmp.keys()].filter((name) => !isNote(name)).map((name) => join(root, "tmp", name)),
    ...written(images.contents.keys()).map((name) => join(images.path, "imagedb/content/sha256", name)),
    ...[...images.metadata].flatMap(([hex, { nodes }]) =>
      images.contents.has(hex)
        ? written(nodes.keys()).map((name) => join(images.path, "imagedb/metadata/sha256", hex, name))
        : [],
    ),
    ...written(images.nodes.keys()).map((name) => join(images.path, name)),
  ];
}
