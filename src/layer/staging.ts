import { access, stat } from "node:fs/promises";
import { join } from "node:path";
import { ensureDirectory, syncFileSystem, WriteSet } from "../disk/index.js";
import type { WriteTarget } from "../driver/index.js";
import { type CacheID, type ChainID, InvalidParameter, messageOf, nextChainID, randomID } from "../spec/index.js";
import type { Unpacked } from "./jobs.js";
import type { Layer } from "./layer.js";
import { type LayerRecord, layerFacts } from "./layerdb.js";
import { layerOf } from "./restore.js";
import { setAside } from "./set-aside.js";
import type { StoreParts } from "./store-parts.js";
import { removeEntry } from "./sweep.js";

/** A layer with all its content that has no name yet: a driver's directory, and a write set that tells of it. */
export interface Staged extends Unpacked {
  readonly cacheID: CacheID;
  readonly set: WriteSet;
}

/** Most read-only layers in a chain. With an init layer and a container's own on top it is what overlay2 can mount. */
export const maxLayers = 125;

/**
 * Makes a layer and has it filled. All or nothing: on a failure, of `fill` too, nothing of it stays.
 *
 * @param below the layer to make it upon: in the table, and held
 * @param fill writes the content to `target` and the tar-split to `split`
 */
export async function stage(
  parts: StoreParts,
  below: Layer | undefined,
  fill: (target: WriteTarget, split: string) => Promise<Unpacked>,
): Promise<Staged> {
  if (below && below.depth >= maxLayers) {
    throw new InvalidParameter(`max depth exceeded: a chain has at most ${maxLayers} layers`);
  }
  const { db, driver } = parts;
  const cacheID: CacheID = randomID();
  await ensureDirectory(db.tmp, 0o755);
  // Before the driver's directory, and named by it: what a crash leaves of both is found by the set.
  const set = await WriteSet.open(db.tmp, cacheID);
  try {
    await driver.create(cacheID, below?.cacheID);
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
    let layer = acquireKnown(parts, chainID);
    if (!layer) {
      await makeDurable(parts, set, record);
      layer = await parts.turns.run(async () => acquireKnown(parts, chainID) ?? nameIt(parts, set, record));
    }
    if (layer.cacheID !== cacheID) await discard(parts, staged);
    return layer;
  } catch (error) {
    await discard(parts, staged);
    throw error;
  }
}

function acquireKnown({ layers }: StoreParts, chainID: ChainID): Layer | undefined {
  return layers.find(chainID) && layers.acquire(chainID);
}

/** Content and metadata by one sync, before there is a name. */
async function makeDurable({ db }: StoreParts, set: WriteSet, record: LayerRecord): Promise<void> {
  for (const [name, text] of Object.entries(layerFacts(record))) await set.write(name, text);
  await ensureDirectory(db.sha256, 0o755);
  await syncFileSystem(db.tmp);
}

async function nameIt({ db, driver, layers, report }: StoreParts, set: WriteSet, record: LayerRecord): Promise<Layer> {
  const path = db.layerDir(record.chainID);
  const damaged = (await exists(path)) ? await setAside(db, record.chainID) : undefined;
  await set.commit(path, { synced: true });
  layers.add(layerOf(record, record.parent && layers.get(record.parent)));
  // In the same step, before anybody else can find it unused.
  const layer = layers.acquire(record.chainID);
  if (damaged) await removeEntry(db, driver, damaged).catch((error) => report(`${damaged}: ${messageOf(error)}`));
  return layer;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Content on a file system of its own is synced by itself. */
async function syncUnlessShared(content: string, metadata: string): Promise<void> {
  const [one, other] = await Promise.all([stat(content), stat(metadata)]);
  if (one.dev !== other.dev) await syncFileSystem(content);
}
