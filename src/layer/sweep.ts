import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { removeTree } from "../disk/index.js";
import type { Driver } from "../driver/index.js";
import { type CacheID, isCacheID, messageOf } from "../spec/index.js";
import type { LayerDB } from "./layerdb.js";
import { names } from "./restore.js";

/**
 * Removes what interrupted operations left: write sets, entries that were being deleted, and the driver's directories
 * that these tell of. A directory of which nothing tells stays, and one that an entry names stays in any case.
 *
 * @param report told one line for each leftover
 */
export async function sweep(db: LayerDB, driver: Driver, report: (line: string) => void): Promise<void> {
  for (const leftover of [...(await halfMade(db)), ...(await halfDeleted(db))]) {
    try {
      await remove(db, driver, leftover);
      report(`removed what an interrupted operation had left: ${leftover.path}`);
    } catch (error) {
      report(`an interrupted operation had left ${leftover.path}, which cannot be removed: ${messageOf(error)}`);
    }
  }
}

/** Removes an entry that has lost its name, with the driver's directory it tells of unless another entry names it. */
export async function removeEntry(db: LayerDB, driver: Driver, path: string): Promise<void> {
  await remove(db, driver, { path, ids: await idsIn(path) });
}

async function remove(db: LayerDB, driver: Driver, { path, ids }: Leftover): Promise<void> {
  const named = await idsNamed(db);
  for (const id of ids.filter((id) => !named.has(id))) await driver.remove(id);
  await removeTree(path);
}

interface Leftover {
  readonly path: string;
  /** The driver's directories that belong to it, a child before its parent. */
  readonly ids: readonly CacheID[];
}

/** Ours are named by what they are about; dockerd's tell it by what is in them, if they have come so far. */
async function halfMade(db: LayerDB): Promise<Leftover[]> {
  const sets = (await names(db.tmp)).filter((name) => name.startsWith("write-set-"));
  return Promise.all(
    sets.map(async (name) => {
      const path = join(db.tmp, name);
      const id = name.slice("write-set-".length);
      return { path, ids: /^[0-9a-f]{64}$/.test(id) ? [id, `${id}-init`] : await idsIn(path) };
    }),
  );
}

async function halfDeleted(db: LayerDB): Promise<Leftover[]> {
  const removing = (await names(db.sha256)).filter((name) => /^[0-9a-f]{64}-[0-9a-f]{64}-removing$/.test(name));
  return Promise.all(
    removing.map(async (name) => ({ path: join(db.sha256, name), ids: await idsIn(join(db.sha256, name)) })),
  );
}

/** All ids that entries name, the damaged ones too. */
async function idsNamed(db: LayerDB): Promise<ReadonlySet<CacheID>> {
  const entries = (await names(db.sha256)).filter((name) => /^[0-9a-f]{64}$/.test(name));
  const ids = new Set<CacheID>();
  for (const name of entries) for (const id of await idsIn(join(db.sha256, name))) ids.add(id);
  for (const name of await names(db.mounts)) for (const id of await idsIn(db.mountDir(name))) ids.add(id);
  return ids;
}

async function idsIn(dir: string): Promise<CacheID[]> {
  const facts = ["mount-id", "init-id", "cache-id"].map((name) => readFile(join(dir, name), "utf8").catch(() => ""));
  return (await Promise.all(facts)).map((text) => text.trim()).filter(isCacheID);
}
