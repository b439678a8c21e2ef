import { copyFile } from "node:fs/promises";
import { type CacheID, Conflict, type DiffID } from "../spec/index.js";
import { labelled } from "../threads/index.js";
import type { Adopted } from "./jobs.js";
import type { Layer } from "./layer.js";
import { splitIn } from "./layer-tar.js";
import { layerThreads } from "./layer-threads.js";
import { stage } from "./loose-layer.js";
import { place } from "./place.js";
import type { StoreParts } from "./store-parts.js";

/** A layer as another store has it. */
export interface Adoptable {
  readonly diffID: DiffID;
  readonly cacheID: CacheID;
  /** The directory that has its files. */
  readonly content: string;
  /** Its `tar-split.json.gz`. */
  readonly split: string;
}

/** Makes a layer like another store's, and hashes what it has become. @see LayerStore.adopt */
export async function adoptLayer(
  parts: StoreParts,
  { diffID, cacheID, content, split: from }: Adoptable,
  below: Layer | undefined,
  onBytes: ((verified: number) => void) | undefined,
): Promise<{ readonly layer: Layer; readonly bytesCopied: number }> {
  let bytesCopied = 0;
  try {
    const fill: Parameters<typeof stage>[2] = async (target, split) => {
      await copyFile(from, split);
      const adopted = await layerThreads.run<Adopted>({ kind: "adopt", target, split, content });
      bytesCopied = adopted.bytesCopied;
      return { diffID, diffSize: adopted.diffSize };
    };
    await using loose = await stage(parts, below, fill, cacheID);
    const job = { kind: "verify", root: loose.root, split: splitIn(loose.set.path), diffID } as const;
    await layerThreads.run(job, { onBytes });
    const [layer] = await place(parts, [loose], below?.chainID);
    if (layer?.cacheID !== cacheID) throw new Conflict("the layer is there already, in another directory");
    return { layer, bytesCopied };
  } catch (error) {
    throw labelled(`layer ${diffID}`, error);
  }
}
