import { link, lstat, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { removeTree } from "../disk/index.js";
import { linkTree } from "../driver/index.js";
import type { Layer, LayerStore } from "../layer/index.js";
import { shortID } from "../spec/index.js";
import { compareAll } from "./compare-all.js";
import type { Progress } from "./report.js";
import { bottomUp, names, type Opened, type Source } from "./root.js";
import { fillLike } from "./writable.js";

/** What a migration has done. */
export interface Moved {
  readonly layers: number;
  readonly containers: number;
  /** Of file content, that could be neither linked nor shared. */
  readonly bytesCopied: number;
}

/**
 * Makes all layers, containers and images of `source` in `target` too, and compares what both show. Image layers that an
 * interrupted run has made are kept; writable layers are made again, since they may have been used meanwhile.
 */
export async function fill(source: Source, target: Opened, progress: Progress): Promise<Moved> {
  const copied = [await fillLayers(source, target, progress), await fillWritable(source, target, progress)];
  await linkImages(source, target);
  await compareAll(source, target, progress);
  return {
    layers: source.layers.list().length,
    containers: source.layers.rw.list().length,
    bytesCopied: copied.reduce((sum, bytes) => sum + bytes, target.driver.bytesCopied ?? 0),
  };
}

/** @returns bytes of file content copied */
async function fillLayers(source: Source, target: Opened, { tell, signal }: Progress): Promise<number> {
  let bytes = 0;
  const layers = bottomUp(source.layers);
  for (const [at, layer] of layers.entries()) {
    signal.throwIfAborted();
    if (target.layers.find(layer.chainID)) {
      // Else it would go with the last container upon it.
      target.layers.acquire(layer.chainID);
      continue;
    }
    const id = `layer ${at + 1}/${layers.length}`;
    const total = layer.diffSize;
    tell({ id, status: "Linking", progressDetail: { current: 0, total } });
    bytes += await adopt(source, target, layer, (current) => {
      tell({ id, status: "Verifying", progressDetail: { current, total } });
    });
    tell({ id, status: `${shortID(layer.chainID)} is whole` });
  }
  return bytes;
}

/** @returns bytes of file content copied */
async function fillWritable(source: Source, target: Opened, { signal }: Progress): Promise<number> {
  let bytes = 0;
  const count = (copied: number) => {
    bytes += copied;
  };
  for (const rw of target.layers.rw.list()) await target.layers.rw.remove(rw.name);
  for (const rw of source.layers.rw.list()) {
    signal.throwIfAborted();
    await target.layers.rw.adopt(rw, fillLike(source, target, rw, count));
  }
  return bytes;
}

async function adopt(source: Source, target: Opened, layer: Layer, onBytes: (verified: number) => void) {
  const { chainID, cacheID, diffID, parent } = layer;
  await using content = await source.driver.openContent(cacheID);
  const adoptable = { diffID, cacheID, content: content.path, split: source.layers.splitOf(chainID) };
  const { bytesCopied } = await target.layers.adopt(adoptable, { ...(parent && { parent }), onBytes });
  return bytesCopied;
}

/** All that `image/DRIVER` has beside layers: files that are only ever replaced. */
async function linkImages(source: Source, target: Opened): Promise<void> {
  const [from, to] = [source, target].map(({ root, name }) => join(root, "image", name)) as [string, string];
  for (const name of names(from)) {
    if (name === "layerdb") continue;
    await removeTree(join(to, name));
    if ((await lstat(join(from, name))).isDirectory()) {
      await mkdir(join(to, name), { mode: 0o700 });
      linkTree({ from: join(from, name), to: join(to, name) });
    } else await link(join(from, name), join(to, name));
  }
}

/** Whether what an earlier run has made is all still wanted. */
export function isStillWanted(source: LayerStore, target: LayerStore): boolean {
  return target.list().every(({ chainID, cacheID }) => source.find(chainID)?.cacheID === cacheID);
}
