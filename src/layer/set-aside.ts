import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { type ChainID, DataLoss, randomID } from "../spec/index.js";
import type { LayerDB } from "./layerdb.js";
import { names } from "./restore.js";

/**
 * Takes the name from a damaged entry, so that a whole one can have it.
 *
 * @returns where it is now: among those being deleted
 * @throws DataLoss: other entries, damaged too since this is their parent, have their files upon its files
 */
export async function setAside(db: LayerDB, chainID: ChainID): Promise<string> {
  const path = db.layerDir(chainID);
  for (const name of await names(db.sha256)) {
    const parent = await readFile(join(db.sha256, name, "parent"), "utf8").catch(() => "");
    if (parent.trim() !== chainID || name.endsWith("-removing")) continue;
    throw new DataLoss(`${path} is damaged, and ${name} lies on it: remove both, then load or pull them again`);
  }
  const aside = `${path}-${randomID()}-removing`;
  await rename(path, aside);
  return aside;
}
