import { rename } from "node:fs/promises";
import { removeTree, syncDirectory } from "../disk/index.js";
import { isErrno, messageOf, randomID } from "../spec/index.js";
import type { Layer, ReleasedLayer } from "./layer.js";
import type { StoreParts } from "./store-parts.js";

/**
 * Deletes layers that are out of the table. First their names go, in one turn: from then on they are not there any
 * more, whatever happens. Of what cannot be removed after that, the next start takes care.
 *
 * @param dead a layer before its parent, as the result is
 */
export async function deleteLayers(parts: StoreParts, dead: readonly Layer[]): Promise<ReleasedLayer[]> {
  if (dead.length === 0) return [];
  // Asked for at once: a registration of the same layer that begins after this finds the name free.
  await parts.turns.run(() => takeNames(parts, dead)).then((taken) => removeTaken(parts, taken));
  return dead.map(({ chainID, diffID, diffSize, size }) => ({ chainID, diffID, diffSize, size }));
}

interface Taken {
  readonly layer: Layer;
  readonly path: string;
}

async function takeNames({ db }: StoreParts, dead: readonly Layer[]): Promise<Taken[]> {
  const taken = dead.map((layer) => ({ layer, path: `${db.layerDir(layer.chainID)}-${randomID()}-removing` }));
  for (const { layer, path } of taken) await renameUnlessGone(db.layerDir(layer.chainID), path);
  await syncDirectory(db.sha256);
  return taken;
}

async function removeTaken({ driver, report }: StoreParts, taken: readonly Taken[]): Promise<void> {
  for (const { layer, path } of taken) {
    try {
      await driver.remove(layer.cacheID);
      await removeTree(path);
    } catch (error) {
      report(
        `layer ${layer.chainID} is deleted, but not all of its files: ${messageOf(error)}; the next start retries`,
      );
    }
  }
}

async function renameUnlessGone(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
  }
}
