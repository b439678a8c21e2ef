import { join } from "node:path";
import { isCacheID } from "../../../spec/index.js";
import { writableTree } from "../../root/read-home.js";
import type { Finding, Step } from "../finding.js";
import type { Known } from "../known/known.js";
import { finding } from "../rule.js";
import { asideWithName } from "../set-aside.js";
import { foreignThing } from "./foreign-thing.js";

const nothing = "nothing: it only takes room";

/** What operations that were interrupted have left in the layerdb, with the directories that it tells of. */
export function* halfDone(known: Known): Generator<Finding> {
  const { layerdb } = known.state;
  for (const [name, { cacheID }] of layerdb.layers) {
    if (!isRemoving(name)) continue;
    const what = "a layer that was being removed";
    yield leftover("layer-removing", `${layerdb.path}/sha256/${name}`, what, aside(known, cacheID ? [cacheID] : []));
  }
  for (const name of layerdb.tmp.keys()) {
    const path = `${layerdb.path}/tmp/${name}`;
    const id = writeSetOf(name);
    const what = "a layer that was being made or removed";
    if (id !== undefined) yield leftover("write-set", path, what, aside(known, [id, `${id}-init`]));
    else yield foreignThing(path, "it is nothing that belongs there");
  }
}

/** Directories of the home that such a leftover tells of: they go with it. */
export function halfDoneDirectories({ state }: Known): Set<string> {
  const removing = [...state.layerdb.layers].flatMap(([name, { cacheID }]) =>
    isRemoving(name) ? (cacheID ?? []) : [],
  );
  const made = [...state.layerdb.tmp.keys()].flatMap((name) => writeSetOf(name) ?? []);
  return new Set([...removing, ...made, ...made.map((id) => `${id}-init`)]);
}

export function isRemoving(name: string): boolean {
  return /^[0-9a-f]{64}-[0-9a-f]{64}-removing$/.test(name);
}

/** Ours are called by the directory they are about; dockerd's by digits. @returns undefined: it is none */
function writeSetOf(name: string): string | undefined {
  return /^write-set-(.+)$/.exec(name)?.[1];
}

function aside(known: Known, ids: readonly string[]): Step[] {
  const unused = ids.filter((id) => isCacheID(id) && known.state.directories.has(id) && !known.uses.has(id));
  return unused.flatMap((id) => asideWithName(known, id));
}

function leftover(kind: string, path: string, what: string, before: readonly Step[]): Finding {
  return finding({
    kind,
    severity: "leftover",
    path,
    what,
    means: nothing,
    remedy: [...before, { kind: "set-aside", path }],
  });
}

/** Directories of the home that nothing speaks of. */
export function* orphans(known: Known): Generator<Finding> {
  const { state, uses } = known;
  const told = halfDoneDirectories(known);
  for (const [name, { node }] of state.directories) {
    if (uses.has(name) || told.has(name) || state.cached.has(name) || isDrivers(name)) continue;
    const path = `${state.home}/${name}`;
    if (probe.test(name)) {
      yield leftover("probe-left", path, "a trial of what the file system can do, interrupted", []);
    } else if (node.kind === "directory" && isCacheID(name)) {
      yield orphan(known, name, path);
    } else yield foreignThing(path, "it is no layer's directory");
  }
}

/** While a layer misses its directory, this may be the one. */
function orphan(known: Known, name: string, path: string): Finding {
  const what = "a layer's directory that no image, container or build cache names";
  const misses = missesDirectory(known);
  const means = misses ? "it may be the directory that another layer misses" : nothing;
  const remedy = misses ? [] : asideWithName(known, name);
  return finding({ kind: "directory-orphan", severity: "leftover", path, what, means, remedy });
}

function missesDirectory({ layers, needed, cacheIDs, writables }: Known): boolean {
  const isLost = [...layers.keys()].some((chainID) => needed.has(chainID) && !cacheIDs.has(chainID));
  return isLost || [...writables.values()].some((each) => each.isLost);
}

const probe = /^(check-overlayfs-support|opaque-bug-check|metacopy-check|userxattr-check|fsutils-dummy)\w*$/;

/** `backingFsBlockDev`: for quotas. */
function isDrivers(name: string): boolean {
  return name === "backingFsBlockDev" || name === "lost+found";
}

/** What extractors work with, inside of layers. */
export function* insideLayers({ state }: Known): Generator<Finding> {
  for (const [id, { nodes, left }] of state.directories) {
    const at = `${state.home}/${id}`;
    for (const name of left) {
      const tree = state.driver === "overlay" && nodes.has("root") ? "root" : writableTree(state.driver);
      const path = join(at, tree, name);
      const means = "containers of the image see the directory";
      const what = "what an extraction that was killed had left inside of the layer";
      yield finding({
        kind: "extraction-left",
        severity: "leftover",
        path,
        what,
        means,
        remedy: [{ kind: "set-aside", path }],
      });
    }
    for (const name of nodes.keys()) {
      if (/^tmproot\w*$/.test(name)) yield leftover("tree-left", `${at}/${name}`, "a tree that was being filled", []);
    }
  }
}
