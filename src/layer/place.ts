import { access, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ensureDirectory, renameAll, syncFileSystem } from "../disk/index.js";
import { type CacheID, type ChainID, InvalidParameter, messageOf, nextChainID } from "../spec/index.js";
import { deleteLayers } from "./deletion.js";
import type { Layer } from "./layer.js";
import { type LayerRecord, layerFacts } from "./layerdb.js";
import type { LooseLayer } from "./loose-layer.js";
import { layerOf } from "./restore.js";
import { setAside } from "./set-aside.js";
import type { StoreParts } from "./store-parts.js";
import { removeEntry } from "./sweep.js";

/** Most read-only layers in a chain. With an init layer and a container's own on top it is what overlay2 can mount. */
export const maxLayers = 125;

/** A loose layer, and what the layerdb will say of it. */
interface Link {
  readonly loose: LooseLayer;
  readonly record: LayerRecord;
}

/**
 * Names loose layers by their content, upon `parent`, in one durable step, and acquires the top one. What has its
 * name already is taken from the store instead; the loose layer stays loose.
 *
 * @param loose bottom first, at least one
 * @param parent in the table and held
 * @returns bottom first
 */
export async function place(
  parts: StoreParts,
  loose: readonly LooseLayer[],
  parent: ChainID | undefined,
): Promise<Layer[]> {
  assertRoom(parent && parts.layers.get(parent), loose.length);
  const chain = linked(loose, parent);
  for (;;) {
    const layers = acquireKnown(parts, chain) ?? (await placeUnknown(parts, chain, parent));
    if (layers) return layers;
  }
}

/** @throws InvalidParameter: a chain of so many layers more is too long */
export function assertRoom(below: Layer | undefined, more: number): void {
  if ((below?.depth ?? 0) + more <= maxLayers) return;
  throw new InvalidParameter(`max depth exceeded: a chain has at most ${maxLayers} layers`);
}

function linked(loose: readonly LooseLayer[], parent: ChainID | undefined): Link[] {
  let below = parent;
  return loose.map((layer) => {
    const { diffID, diffSize, cacheID } = layer;
    const chainID = nextChainID(below, diffID);
    const record = { chainID, diffID, cacheID, diffSize, ...(below && { parent: below }) };
    below = chainID;
    return { loose: layer, record };
  });
}

/** All of them are there. */
function acquireKnown({ layers }: StoreParts, chain: readonly Link[]): Layer[] | undefined {
  const top = chain.at(-1)!.record.chainID;
  if (!layers.find(top)) return undefined;
  layers.acquire(top);
  return chain.map(({ record }) => layers.get(record.chainID));
}

/** @returns undefined: meanwhile another has named the first of them, so they belong upon that one */
async function placeUnknown(parts: StoreParts, chain: readonly Link[], parent: ChainID | undefined) {
  const { layers } = parts;
  // A layer that is there has all below it.
  const known = chain.filter(({ record }) => layers.find(record.chainID)).length;
  const base = known > 0 ? chain[known - 1]!.record.chainID : parent;
  const below = base && layers.hold(base);
  try {
    const unknown = chain.slice(known);
    await attachAll(parts, unknown, below?.cacheID);
    await makeDurable(parts, unknown);
    const damaged = await parts.turns.run(() => nameAll(parts, unknown));
    await removeDamaged(parts, damaged ?? []);
    return damaged && chain.map(({ record }) => layers.get(record.chainID));
  } finally {
    if (base) await deleteLayers(parts, layers.letGo(base));
  }
}

async function attachAll({ driver }: StoreParts, chain: readonly Link[], base: CacheID | undefined): Promise<void> {
  let below = base;
  for (const { loose, record } of chain) {
    if (below !== undefined) await driver.attach?.(loose.cacheID, below);
    await writeFacts(loose, record);
    below = loose.cacheID;
  }
}

/** An earlier attempt may have written them. */
async function writeFacts({ set }: LooseLayer, record: LayerRecord): Promise<void> {
  await rm(join(set.path, "parent"), { force: true });
  for (const [name, text] of Object.entries(layerFacts(record))) {
    await rm(join(set.path, name), { force: true });
    await set.write(name, text);
  }
}

/** Content and metadata of all layers by one sync, before any has a name. */
async function makeDurable({ db }: StoreParts, chain: readonly Link[]): Promise<void> {
  const { root } = chain.at(-1)!.loose;
  await ensureDirectory(db.sha256, 0o755);
  const [content, metadata] = await Promise.all([stat(root), stat(db.tmp)]);
  if (content.dev !== metadata.dev) await syncFileSystem(root);
  await syncFileSystem(db.tmp);
}

/**
 * To be done in a turn.
 *
 * @returns paths of damaged entries whose names they took; undefined: the first is there already
 */
async function nameAll({ db, layers }: StoreParts, chain: readonly Link[]): Promise<string[] | undefined> {
  if (layers.find(chain[0]!.record.chainID)) return undefined;
  const damaged: string[] = [];
  // The top one first: a damaged entry that others lie on does not give way.
  for (const { record } of chain.toReversed()) {
    if (await exists(db.layerDir(record.chainID))) damaged.push(await setAside(db, record.chainID));
  }
  await renameAll(chain.map(({ loose, record }) => [loose.set.path, db.layerDir(record.chainID)]));
  for (const { loose, record } of chain) {
    layers.add(layerOf(record, record.parent && layers.get(record.parent)));
    loose.placed(record.chainID);
  }
  // In the same step, before anybody else can find it unused.
  layers.acquire(chain.at(-1)!.record.chainID);
  return damaged;
}

async function removeDamaged({ db, driver, report }: StoreParts, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await removeEntry(db, driver, path).catch((error) => report(`${path}: ${messageOf(error)}`));
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
