import { existsSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { type IdMap, ownersAreLimited } from "../../driver/index.js";
import { verifyBare } from "../../layer/index.js";
import {
  type CacheID,
  type ChainID,
  DataLoss,
  type DiffID,
  hexOf,
  NotFound,
  NotImplemented,
  randomID,
} from "../../spec/index.js";
import { idMapOf, remappedRoot } from "../root/remapped.js";
import type { RootState } from "../root/root-state.js";
import { usesOf } from "../uses.js";
import { directoryOf, type ProvenLayer, provenLayer } from "./proven-layer.js";
import type { Restoring } from "./restoring.js";
import { contentOf } from "./sources/root-source.js";

/** A layer, where it is to lie, and what of it is there. */
export interface Patient extends ProvenLayer {
  readonly id: CacheID;
  /** Of the layer below. */
  readonly below: CacheID | undefined;
  /** The directory with its files; undefined: there is none. */
  readonly content: string | undefined;
  /** Path of its tar-split, there or not. */
  readonly split: string;
  /** What ids in its archive are on disk; undefined: the same. */
  readonly ids: IdMap | undefined;
}

/**
 * @throws NotFound: nothing says what it is; DataLoss: what it stands on is not there; NotImplemented: owners cannot be set
 */
export async function patientOf(restoring: Restoring, chainID: ChainID): Promise<Patient> {
  const { state } = restoring;
  const ids = idsOf(state);
  const proven = provenLayer(state, chainID);
  if (!proven) throw new NotFound("no image and no file says what was in this layer: its DiffID is lost");
  const { parent, diffID } = proven;
  const below = parent && directoryOf(state, parent);
  if (parent && (below === undefined || contentOf(state, parent) === undefined)) {
    throw new DataLoss(`the layer below, ${parent}, is not whole`);
  }
  const split = join(state.layerdb.path, "sha256", hexOf(chainID), "tar-split.json.gz");
  const known = directoryOf(state, chainID) ?? (await lostDirectory(restoring, split, diffID));
  const path = known && contentPath(state, known);
  const isThere = path !== undefined && lstatSync(path, { throwIfNoEntry: false })?.isDirectory();
  return { ...proven, id: known ?? (randomID() as CacheID), below, content: isThere ? path : undefined, split, ids };
}

/** Of the directories that nobody uses, the one that has the layer's files. */
async function lostDirectory(
  { state, signal }: Restoring,
  split: string,
  diffID: DiffID,
): Promise<CacheID | undefined> {
  if (!existsSync(split)) return undefined;
  const used = usesOf(state);
  for (const name of state.directories.keys()) {
    if (!/^[0-9a-f]{64}$/.test(name) || used.has(name) || state.cached.has(name)) continue;
    const isIt = await verifyBare({ root: contentPath(state, name), split, diffID }, { signal }).then(
      () => true,
      () => false,
    );
    signal?.throwIfAborted();
    if (isIt) return name as CacheID;
  }
  return undefined;
}

/** The directory that is to have the files of a layer. */
export function contentPath({ driver, home }: RootState, id: string): string {
  if (driver === "vfs") return join(home, id);
  return join(home, id, driver === "overlay2" ? "diff" : "root");
}

/** Which ids on disk layers have; undefined: those of their archives. @throws NotImplemented: it is not known */
function idsOf(state: RootState): IdMap | undefined {
  assertOwnersAreKept(state);
  const remapped = remappedRoot(state.root);
  return remapped && idMapOf(remapped);
}

/** @throws NotImplemented: what is made would get other owners than what is there has */
export function assertOwnersAreKept({ directories, home, root, driver }: RootState): void {
  if (ownersAreLimited()) throw new NotImplemented("root is needed: owners and devices cannot be made without");
  if (remappedRoot(root)) return;
  for (const { node } of directories.values()) {
    if (node.uid + node.gid === 0 || node.kind !== "directory" || driver === "vfs") continue;
    const who = `${node.uid}:${node.gid}`;
    const what = "that is neither the root of a dockerd, nor one of its --userns-remap, which is called UID.GID";
    throw new NotImplemented(`${join(home, node.name)} belongs to ${who}: ${what}: owners in layers are not known`);
  }
}
