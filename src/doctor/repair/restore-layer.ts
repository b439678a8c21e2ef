import { existsSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { ownersAreLimited } from "../../driver/index.js";
import { parseSplit, rebuildBare, verifyBare } from "../../layer/index.js";
import {
  type CacheID,
  type ChainID,
  DataLoss,
  type DiffID,
  hexOf,
  messageOf,
  NotFound,
  NotImplemented,
  randomID,
  shortID,
} from "../../spec/index.js";
import type { RootState } from "../root/root-state.js";
import { usesOf } from "../uses.js";
import { type Mended, mendTree } from "./mend-tree.js";
import { oldForms } from "./old-forms.js";
import { placeDirectory } from "./place-directory.js";
import { directoryOf, type ProvenLayer, provenLayer } from "./proven-layer.js";
import type { Quarantine } from "./quarantine.js";
import { type Holds, Scope } from "./scope.js";
import { contentOf, layersAbove } from "./sources/root-source.js";
import type { Source } from "./sources/source.js";
import type { FreshLayer, Staging } from "./staging.js";
import { writeEntry } from "./write-entry.js";

/** What a restoration works with. */
export interface Restoring {
  /** As it is now. */
  readonly state: RootState;
  /** Asked in this order. */
  readonly sources: readonly Source[];
  readonly quarantine: Quarantine;
  readonly staging: () => Promise<Staging>;
  /** Whether the layers below one are known to be right, to the last byte. */
  readonly isRightBelow: (chainID: ChainID) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A layer, where it is to lie, and what of it is there. */
interface Patient extends ProvenLayer {
  readonly id: CacheID;
  /** Of the layer below. */
  readonly below: CacheID | undefined;
  /** The directory with its files; undefined: there is none. */
  readonly content: string | undefined;
  /** Path of its tar-split, there or not. */
  readonly split: string;
}

/** A layer that was made anew, and out of what. */
interface Made {
  readonly fresh: FreshLayer;
  readonly from: string;
}

/**
 * Makes a layer what its DiffID says: its directory, or the files of it that differ, its tar-split and its entry in the
 * layerdb, out of the first source whose bytes hash to it. The layers below have to be whole; directory and short name
 * stay what they were, so that what stands on it stands as before.
 *
 * @returns one line: what was done, and from where
 * @throws NotFound: nobody has it, with the reasons; NotImplemented: owners cannot be set here
 */
export async function restoreLayer(restoring: Restoring, chainID: ChainID): Promise<string> {
  assertOwnersAreKept(restoring.state);
  const patient = await patientOf(restoring, chainID);
  const staging = await restoring.staging();
  const { fresh, from } = await made(restoring, patient, staging);
  const { content, id } = patient;
  const { state, quarantine, signal } = restoring;
  const holds = holdsOf(restoring, patient);
  const mended = content === undefined ? undefined : await mendedFiles(restoring, patient, content, fresh, holds);
  await placeDirectory(state, { chainID, id, fresh, quarantine });
  const found = contentPath(state, id);
  const facts = { chainID, diffID: patient.diffID, cacheID: id, diffSize: fresh.diffSize };
  const record = { ...facts, ...(patient.parent && { parent: patient.parent }) };
  const isEntryNew = await writeEntry(state, record, found, fresh, quarantine);
  await verifyBare({ root: found, split: patient.split, diffID: patient.diffID }, { signal });
  if (mended && !isEntryNew && isNothing(mended)) {
    const below = holds.kind === "unsure" ? ": it is of the layers below, which have to be restored first" : "";
    throw new DataLoss(`what is wrong in it is nothing that its archive tells of${below}`);
  }
  return `${mended ? countsOf(mended) : "the whole layer"}, from ${from}`;
}

async function mendedFiles(
  { state, quarantine, signal }: Restoring,
  { chainID }: Patient,
  old: string,
  fresh: FreshLayer,
  holds: Holds,
): Promise<Mended> {
  const scope = await Scope.of(fresh.split, holds);
  const sharing = state.driver === "overlay2" ? [] : treesUpon(state, chainID);
  const why = `layer ${shortID(hexOf(chainID))} was damaged`;
  return await mendTree(old, fresh.content, { scope, quarantine, why, sharing, signal });
}

function isNothing({ other, missing, extra, metadata }: Mended): boolean {
  return other + missing + extra + metadata === 0;
}

function countsOf(mended: Mended): string {
  const { other, missing, extra, metadata } = mended;
  const counts = [
    ...(other > 0 ? [`${other} replaced`] : []),
    ...(missing > 0 ? [`${missing} added`] : []),
    ...(extra > 0 ? [`${extra} taken out`] : []),
    ...(metadata > 0 ? [`metadata of ${metadata} directories set`] : []),
  ];
  return isNothing(mended) ? "what tells of it; its files are as they were" : counts.join(", ");
}

/** What can be known of its directory. A bottom layer has nothing below. */
function holdsOf({ state, isRightBelow }: Restoring, { chainID, parent }: Patient): Holds {
  if (state.driver === "overlay2") return { kind: "own" };
  if (parent !== undefined && !isRightBelow(chainID)) return { kind: "unsure" };
  return { kind: "whole", below: parent && contentOf(state, parent) };
}

/** @throws NotImplemented: what is unpacked would get other owners than what is there has */
function assertOwnersAreKept({ directories, home, root }: RootState): void {
  if (ownersAreLimited()) throw new NotImplemented("root is needed: owners and devices cannot be made without");
  for (const { node } of directories.values()) {
    if (node.uid + node.gid === 0 || node.kind !== "directory") continue;
    const who = `${node.uid}:${node.gid}`;
    throw new NotImplemented(
      `${join(home, node.name)} belongs to ${who}: layers of ${root}, a root of dockerd --userns-remap, cannot be restored`,
    );
  }
}

/** @throws NotFound: nothing says what it is; DataLoss: what it stands on is not there */
async function patientOf(restoring: Restoring, chainID: ChainID): Promise<Patient> {
  const { state } = restoring;
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
  return { ...proven, id: known ?? (randomID() as CacheID), below, content: isThere ? path : undefined, split };
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
    if (!/^[0-9a-f]{64}$/.test(name) || used.has(name)) continue;
    const isIt = await verifyBare({ root: contentPath(state, name), split, diffID }, { signal }).then(
      () => true,
      () => false,
    );
    signal?.throwIfAborted();
    if (isIt) return name as CacheID;
  }
  return undefined;
}

function contentPath({ driver, home }: RootState, id: string): string {
  if (driver === "vfs") return join(home, id);
  return join(home, id, driver === "overlay2" ? "diff" : "root");
}

/** Trees of the layers that stand on it, nearest first. */
function treesUpon(state: RootState, chainID: ChainID): string[] {
  return layersAbove(state, chainID)
    .map((each) => contentOf(state, each))
    .filter((tree) => tree !== undefined);
}

/** Whether a tar-split tells what the archive consists of: then it is the files that are not right. */
async function isReadable(split: string): Promise<boolean> {
  return await parseSplit(split, () => {}).then(
    () => true,
    () => false,
  );
}

/** @throws NotFound: none of the sources has it */
async function made(restoring: Restoring, patient: Patient, staging: Staging): Promise<Made> {
  const { state, sources, signal } = restoring;
  const { diffID, id, below } = patient;
  const failures: string[] = [];
  const tried = async (from: string, content: Parameters<Staging["make"]>[2]): Promise<Made | undefined> => {
    try {
      return { fresh: await staging.make(state, { id, below, diffID }, content, signal), from };
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(`${from}: ${messageOf(error)}`);
      return undefined;
    }
  };
  const { content, split } = patient;
  if (content !== undefined && existsSync(split)) {
    const own = await tried("its own files", { tar: rebuildBare({ root: content, split, diffID }, { signal }) });
    if (own) return own;
  }
  for (const source of sources) {
    const found = await fromSource(source);
    if (found) return found;
  }
  const packed = content === undefined || (await isReadable(split)) ? undefined : await packedAgain(content);
  if (packed) return packed;
  const why = failures.length > 0 ? `: ${[...new Set(failures)].join("; ")}` : "";
  throw new NotFound(`nobody has the bytes of layer ${diffID}${why}`);

  async function fromSource(source: Source): Promise<Made | undefined> {
    try {
      for await (const offer of source.layers({ chainID: patient.chainID, diffID, state })) {
        const found = await tried(offer.from, { tar: offer.open(signal) });
        if (found) return found;
      }
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(`${source.name}: ${messageOf(error)}`);
    }
    return undefined;
  }

  /** Where its tar-split alone is lost, its files may pack to the same tar once more. */
  async function packedAgain(root: string): Promise<Made | undefined> {
    const lower = patient.parent && contentOf(state, patient.parent);
    const source =
      state.driver === "overlay2"
        ? ({ kind: "upper", root, xattrPrefix: "trusted.overlay." } as const)
        : ({ kind: "trees", upper: root, ...(lower !== undefined && { lower }) } as const);
    for (const form of [undefined, ...(await oldForms(source))]) {
      const found = await tried("its own files, packed again", { source, form });
      if (found) return found;
    }
    return undefined;
  }
}
