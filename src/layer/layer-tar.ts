import { join } from "node:path";
import type { ChainID } from "../spec/index.js";
import { labelled } from "../threads/index.js";
import { deleteLayers } from "./deletion.js";
import { layerThreads } from "./layer-threads.js";
import type { StoreParts } from "./store-parts.js";

/** The tar of a layer, rebuilt as it is read; the layer stays until the reader is done. @see LayerStore.tar */
export async function* layerTar(
  parts: StoreParts,
  chainID: ChainID,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { db, driver, layers } = parts;
  const { cacheID, diffID } = layers.hold(chainID);
  try {
    await using content = await driver.openContent(cacheID);
    const split = splitIn(db.layerDir(chainID));
    yield* layerThreads.read({ kind: "rebuild", root: content.path, split, diffID }, { signal });
  } catch (error) {
    throw signal?.aborted ? signal.reason : labelled(`layer ${chainID}`, error);
  } finally {
    await deleteLayers(parts, layers.letGo(chainID));
  }
}

/** The tar-split in a layer's entry, or in the write set that will be its entry. */
export function splitIn(entry: string): string {
  return join(entry, "tar-split.json.gz");
}
