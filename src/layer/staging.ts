import { stat } from "node:fs/promises";
import { join } from "node:path";
import { ensureDirectory, syncFileSystem, WriteSet } from "../disk/index.js";
import type { WriteTarget } from "../driver/index.js";
import { type CacheID, type ChainID, InvalidParameter, messageOf, nextChainID, randomID } from "../spec/index.js";
import type { Unpacked } from "./jobs.js";
import type { Layer } from "./layer.js";
import { type LayerRecord, layerFacts } from "./layerdb.js";
import { layerOf } from "./restore.js";
import type { StoreParts } from "./store-parts.js";
import { labelled } from "./wire-error.js";

/** A layer with all its content that has no name yet: a driver's directory, and a write set that tells of it. */
export interface Staged extends Unpacked {
  readonly cacheID: CacheID;
  readonly set: WriteSet;
}

export interface StageOptions {
  /** In front of the messages of errors. */
  readonly label: string;
  /** The layer to make it upon: in the table, and held. */
  readonly below: Layer | undefined;
}

/** Most read-only layers in a chain. With an init layer and a container's own on top it is what overlay2 can mount. */
const maxLayers = 125;

/**
 * Makes a layer and has it filled. All or nothing: on a failure, of `fill` too, nothing of it stays.
 *
 * @param fill writes the content to `target` and the tar-split to `split`; what it throws is passed on as it is
 */
export async function stage(
  parts: StoreParts,
  { label, below }: StageOptions,
  fill: (target: WriteTarget, split: string) => Promise<Unpacked>,
): Promise<Staged> {
  if (below && below.depth >= maxLayers) {
    throw new InvalidParameter(`${label}: max depth exceeded: a chain has at most ${maxLayers} layers`);
  }
  const { db, driver } = parts;
  const cacheID: CacheID = randomID();
  await ensureDirectory(db.tmp, 0o755);
  // Before the driver's directory, and named by it: what a crash leaves of both is found by the set.
  const set = await WriteSet.open(db.tmp, cacheID);
  try {
    await driver.create(cacheID, below?.cacheID).catch((error) => {
      throw labelled(label, error);
    });
    await using filling = await driver.fill(cacheID);
    const unpacked = await fill(filling.target, join(set.path, "tar-split.json.gz"));
    await syncUnlessShared(filling.target.root, db.tmp);
    await filling.commit();
    return { cacheID, set, ...unpacked };
  } catch (error) {
    await discard(parts, { cacheID, set });
    throw error;
  }
}

/** Takes a staged layer back. */
export async function discard(
  { driver, report }: StoreParts,
  { cacheID, set }: Pick<Staged, "cacheID" | "set">,
): Promise<void> {
  try {
    await driver.remove(cacheID);
    await set[Symbol.asyncDispose]();
  } catch (error) {
    report(`the half-made layer ${cacheID} could not be removed: ${messageOf(error)}; the next start retries`);
  }
}

/**
 * Names a staged layer by its content, upon `parent`, and acquires it. A layer of that name is there already: the
 * staged one is thrown away for it.
 *
 * @param parent in the table and held
 */
export async function commit(parts: StoreParts, staged: Staged, parent: ChainID | undefined): Promise<Layer> {
  const { cacheID, diffID, diffSize, set } = staged;
  const chainID = nextChainID(parent, diffID);
  const record: LayerRecord = { chainID, diffID, cacheID, diffSize, ...(parent && { parent }) };
  try {
    if (!parts.layers.find(chainID)) await makeDurable(parts, set, record);
    const layer = await parts.turns.run(() => nameIt(parts, set, record));
    if (layer.cacheID !== cacheID) await discard(parts, staged);
    return layer;
  } catch (error) {
    await discard(parts, staged);
    throw error;
  }
}

/** Content and metadata by one sync, before there is a name. */
async function makeDurable({ db }: StoreParts, set: WriteSet, record: LayerRecord): Promise<void> {
  for (const [name, text] of Object.entries(layerFacts(record))) await set.write(name, text);
  await syncFileSystem(db.tmp);
}

async function nameIt({ db, layers }: StoreParts, set: WriteSet, record: LayerRecord): Promise<Layer> {
  if (!layers.find(record.chainID)) {
    await set.commit(db.layerDir(record.chainID), { synced: true });
    layers.add(layerOf(record, record.parent && layers.get(record.parent)));
  }
  return layers.acquire(record.chainID);
}

/** Content on a file system of its own is synced by itself. */
async function syncUnlessShared(content: string, metadata: string): Promise<void> {
  const [one, other] = await Promise.all([stat(content), stat(metadata)]);
  if (one.dev !== other.dev) await syncFileSystem(content);
}
