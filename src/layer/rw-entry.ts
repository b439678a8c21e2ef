import { rename } from "node:fs/promises";
import { ensureDirectory, removeTree, syncDirectory, syncFileSystem, WriteSet } from "../disk/index.js";
import { type CacheID, messageOf } from "../spec/index.js";
import { fillInitLayer } from "./init-layer.js";
import type { RWLayer } from "./layer.js";
import { mountFacts } from "./layerdb.js";
import type { StoreParts } from "./store-parts.js";

type Storage = Readonly<Record<string, string>>;

/** Fills a layer's directories that the driver has just made. @param scratch a directory that goes afterwards */
export type FillRW = (id: CacheID, scratch: string) => Promise<void>;

/**
 * Makes a writable layer on disk: its directories first, then its name. All or nothing.
 *
 * @param fill gives it and its init layer their content; without, the one is empty and the other as for a new container
 */
export async function makeRW(parts: StoreParts, rw: RWLayer, storage: Storage, fill?: FillRW): Promise<void> {
  const { db, driver, layers } = parts;
  const below = rw.parent && layers.get(rw.parent).cacheID;
  await ensureDirectory(db.tmp, 0o755);
  await ensureDirectory(db.mounts, 0o755);
  // Before the driver's directories, and named by them: what a crash leaves of both is found by the set.
  const set = await WriteSet.open(db.tmp, rw.mountID);
  try {
    if (rw.initID) {
      await driver.create(rw.initID, below, { storage });
      await (fill ? fill(rw.initID, set.path) : beginInit(parts, rw.initID));
    }
    await driver.create(rw.mountID, rw.initID ?? below, { storage });
    await fill?.(rw.mountID, set.path);
    for (const [fact, text] of Object.entries(mountFacts(rw))) await set.write(fact, text);
    await syncFileSystem(db.tmp);
    await set.commit(db.mountDir(rw.name), { mode: 0o755, synced: true });
  } catch (error) {
    await takeBack(parts, rw, set);
    throw error;
  }
}

async function beginInit({ driver }: StoreParts, id: CacheID): Promise<void> {
  await using mounted = await driver.mount(id);
  fillInitLayer(mounted.path);
}

async function takeBack(parts: StoreParts, rw: RWLayer, set: WriteSet): Promise<void> {
  try {
    await removeDirectories(parts, rw);
    await set[Symbol.asyncDispose]();
  } catch (error) {
    parts.report(`the half-made writable layer ${rw.mountID} could not be removed: ${messageOf(error)}`);
  }
}

/**
 * Takes a writable layer off the disk: its name first, back to where it was made, so that the sweep after a crash
 * finds the directories by it. On a failure the name is there as before, to be tried again.
 */
export async function unmakeRW(parts: StoreParts, rw: RWLayer): Promise<void> {
  const { db, report } = parts;
  const [path, dying] = [db.mountDir(rw.name), db.writeSetDir(rw.mountID)];
  await ensureDirectory(db.tmp, 0o755);
  await rename(path, dying);
  try {
    await syncDirectory(db.mounts);
    await removeDirectories(parts, rw);
  } catch (error) {
    await rename(dying, path);
    throw error;
  }
  await removeTree(dying).catch((error) => report(`${dying} could not be removed: ${messageOf(error)}`));
}

async function removeDirectories({ driver }: StoreParts, { mountID, initID }: RWLayer): Promise<void> {
  await driver.remove(mountID);
  if (initID) await driver.remove(initID);
}
