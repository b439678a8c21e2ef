import { verifyBare } from "../../layer/index.js";
import { type ChainID, DataLoss, hexOf, shortID } from "../../spec/index.js";
import type { RootState } from "../root/root-state.js";
import { makeAnew } from "./make-anew.js";
import { type Mended, mendTree } from "./mend-tree.js";
import { contentPath, type Patient, patientOf } from "./patient.js";
import { placeDirectory } from "./place-directory.js";
import type { Restoring } from "./restoring.js";
import { type Holds, Scope } from "./scope.js";
import { contentOf, layersAbove } from "./sources/root-source.js";
import type { FreshLayer } from "./staging.js";
import { writeEntry } from "./write-entry.js";

/**
 * Makes a layer what its DiffID says: its directory, or the files of it that differ, its tar-split and its entry in the
 * layerdb, out of the first source whose bytes hash to it. The layers below have to be whole; directory and short name
 * stay what they were, so that what stands on it stands as before.
 *
 * @returns one line: what was done, and from where
 * @throws NotFound: nobody has it, with the reasons; NotImplemented: owners cannot be set here
 */
export async function restoreLayer(restoring: Restoring, chainID: ChainID): Promise<string> {
  const patient = await patientOf(restoring, chainID);
  const { fresh, from } = await makeAnew(restoring, patient);
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

/** Trees of the layers that stand on it, nearest first. */
function treesUpon(state: RootState, chainID: ChainID): string[] {
  return layersAbove(state, chainID)
    .map((each) => contentOf(state, each))
    .filter((tree) => tree !== undefined);
}
