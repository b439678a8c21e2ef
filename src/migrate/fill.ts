import { link, lstat, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { removeTree } from "../disk/index.js";
import { linkTree } from "../driver/index.js";
import type { Layer, LayerStore } from "../layer/index.js";
import { type CacheID, DataLoss, messageOf, shortID } from "../spec/index.js";
import type { Tell } from "./report.js";
import { bottomUp, names, type Opened, type Source } from "./root.js";
import { migrateThreads } from "./threads.js";
import { fillLike } from "./writable.js";

/** What a migration has done, or would do. */
export interface Moved {
  readonly layers: number;
  readonly containers: number;
  /** Of file content, that could be neither linked nor shared. */
  readonly bytesCopied: number;
}

export interface FillOptions {
  readonly tell: Tell;
  readonly signal: AbortSignal;
}

/**
 * Makes all layers, containers and images of `source` in `target` too, and compares what both show. Image layers that an
 * interrupted run has made are kept; writable layers are made again, since they may have been used meanwhile.
 */
export async function fill(source: Source, target: Opened, { tell, signal }: FillOptions): Promise<Moved> {
  let bytesCopied = 0;
  const layers = bottomUp(source.layers);
  for (const [at, layer] of layers.entries()) {
    signal.throwIfAborted();
    if (target.layers.find(layer.chainID)) {
      // Else it would go with the last container upon it.
      target.layers.acquire(layer.chainID);
      continue;
    }
    const id = `layer ${at + 1}/${layers.length}`;
    bytesCopied += await adopt(source, target, layer, (current) => {
      tell({ id, status: "Verifying", progressDetail: { current, total: layer.diffSize } });
    });
    tell({ id, status: `${shortID(layer.chainID)} is whole` });
  }
  const writable = source.layers.rw.list();
  for (const rw of target.layers.rw.list()) await target.layers.rw.remove(rw.name);
  for (const rw of writable) {
    signal.throwIfAborted();
    await target.layers.rw.adopt(
      rw,
      fillLike(source, target, rw, (bytes) => {
        bytesCopied += bytes;
      }),
    );
  }
  await linkImages(source, target);
  await compareAll(source, target, { tell, signal });
  return { layers: layers.length, containers: writable.length, bytesCopied };
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

/** What images and containers show when they are mounted. */
async function compareAll(source: Source, target: Opened, { tell, signal }: FillOptions): Promise<void> {
  const tops = topsOf(source);
  for (const [at, layer] of tops.entries()) {
    signal.throwIfAborted();
    tell({ id: `image ${at + 1}/${tops.length}`, status: "Comparing" });
    await compare(source, target, layer.cacheID, `layer ${shortID(layer.chainID)}`);
    tell({ id: `image ${at + 1}/${tops.length}`, status: "shows the same files" });
  }
  const writable = source.layers.rw.list();
  for (const [at, { name, mountID }] of writable.entries()) {
    signal.throwIfAborted();
    tell({ id: `container ${at + 1}/${writable.length}`, status: "Comparing" });
    await compare(source, target, mountID, `container ${shortID(name)}`);
    tell({ id: `container ${at + 1}/${writable.length}`, status: `${shortID(name)} shows the same files` });
  }
}

/** Layers that images end with, and those that no other lies upon. */
function topsOf({ layers, images }: Source): readonly Layer[] {
  const tops = new Set(images.list().flatMap(({ topLayer }) => topLayer ?? []));
  const below = new Set(layers.list().map(({ parent }) => parent));
  return bottomUp(layers).filter(({ chainID }) => tops.has(chainID) || !below.has(chainID));
}

async function compare(source: Opened, target: Opened, id: CacheID, what: string): Promise<void> {
  try {
    await using a = await source.driver.mount(id);
    await using b = await target.driver.mount(id);
    const difference = await migrateThreads.run<string | undefined>({ kind: "compare", a: a.path, b: b.path });
    if (difference === undefined) return;
    throw new DataLoss(`it would not be the same with ${target.name}: ${difference}`);
  } catch (error) {
    const remedy = `nothing is switched; without it (docker save keeps it) the migration can go on`;
    throw new DataLoss(`${what}: ${messageOf(error)}; ${remedy}`, { cause: error });
  }
}

/** Whether what an earlier run has made is all still wanted. */
export function isStillWanted(source: LayerStore, target: LayerStore): boolean {
  return target.list().every(({ chainID, cacheID }) => source.find(chainID)?.cacheID === cacheID);
}
