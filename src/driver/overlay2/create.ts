import { rm } from "node:fs/promises";
import { removeTree } from "../../disk/index.js";
import { AlreadyExists, type CacheID, InvalidParameter, NotFound, shortID, Undo } from "../../spec/index.js";
import { makeDirectory, makeFile } from "../layer-files.js";
import { pathExists } from "../layer-names.js";
import { type Home, mostLowers } from "./home.js";
import type { ProjectQuota } from "./project-quota.js";

export interface Quota {
  readonly control: ProjectQuota;
  readonly bytes: number;
}

/** Makes a layer's directory, all or nothing. The order is Docker's (docker-data-root 2.1). */
export async function createLayer(home: Home, id: CacheID, parent?: CacheID, quota?: Quota): Promise<void> {
  if (await home.has(id)) throw new AlreadyExists(`layer ${shortID(id)} exists already`);
  const lowers = parent === undefined ? [] : await lowersOver(home, parent);
  await using undo = new Undo();
  undo.defer(() => deleteLayer(home, id));
  await makeDirectory(home.layer(id), 0o710);
  // Before anything is in it: what is made in it counts towards it.
  quota?.control.limit(home.layer(id), quota.bytes);
  await makeDirectory(home.file(id, "diff"), 0o755);
  await makeFile(home.file(id, "link"), await home.makeLink(id), 0o644);
  if (parent !== undefined) await putUpon(home, id, parent, lowers, undo);
  undo.done();
}

/**
 * Puts a layer upon another one than before, or than none. Where it fails the layer is over nothing.
 *
 * @param adapt does to its content what the layers that are now below it ask for
 */
export async function attachLayer(home: Home, id: CacheID, parent: CacheID, adapt: () => Promise<void>): Promise<void> {
  if (!(await home.has(id))) throw new NotFound(`there is no layer ${shortID(id)}`);
  const lowers = await lowersOver(home, parent);
  await detachLayer(home, id);
  await using undo = new Undo();
  undo.defer(() => detachLayer(home, id));
  await putUpon(home, id, parent, lowers, undo);
  await adapt();
  undo.done();
}

/** Nothing there is no error. The short name goes first: without it nobody mounts what is half gone. */
export async function deleteLayer(home: Home, id: CacheID): Promise<void> {
  await home.removeLink(id);
  await removeTree(home.layer(id));
}

async function putUpon(home: Home, id: CacheID, parent: CacheID, lowers: readonly string[], undo: Undo) {
  await makeDirectory(home.file(id, "work"), 0o700);
  await commitParent(home, parent, undo);
  await makeFile(home.file(id, "lower"), lowers.join(":"), 0o644);
}

async function detachLayer(home: Home, id: CacheID): Promise<void> {
  await rm(home.file(id, "lower"), { force: true });
  await removeTree(home.file(id, "work"));
}

async function lowersOver(home: Home, parent: CacheID): Promise<string[]> {
  if (!(await home.has(parent))) throw new NotFound(`there is no layer ${shortID(parent)} to put another upon`);
  const lowers = await home.lowersOver(parent);
  if (lowers.length <= mostLowers) return lowers;
  throw new InvalidParameter(`max depth exceeded: a chain has at most ${mostLowers + 1} layers`);
}

/** From now on the parent is mounted read-only. */
async function commitParent(home: Home, parent: CacheID, undo: Undo): Promise<void> {
  const mark = home.file(parent, "committed");
  if (await pathExists(mark)) return;
  undo.defer(() => rm(mark, { force: true }));
  await makeFile(mark, "", 0o600);
}
