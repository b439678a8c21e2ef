import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type ChainID, DataLoss, isErrno, messageOf, nextChainID, shortID } from "../spec/index.js";
import type { Damaged, Layer, RWLayer } from "./layer.js";
import { LayerTable } from "./layer-table.js";
import { type LayerDB, type LayerRecord, readLayerRecord, readMountRecord } from "./layerdb.js";

/** A layerdb as read at opening. */
export interface Restored {
  readonly layers: LayerTable;
  readonly rwLayers: Map<string, RWLayer>;
  readonly damaged: readonly Damaged[];
}

/** Reads a layerdb; what cannot be used is among `damaged`. Changes nothing. @param label path of it, in reports */
export async function restore(db: LayerDB, label: string): Promise<Restored> {
  const damaged = await misplaced(db, label);
  const hexes = (await names(db.sha256)).filter((name) => /^[0-9a-f]{64}$/.test(name));
  const records = await readEach(hexes, damaged, `${label}/sha256`, (hex) =>
    readLayerRecord(join(db.sha256, hex), `sha256:${hex}` as ChainID),
  );
  const layers = linkLayers(records, damaged, `${label}/sha256`);
  const rwLayers = new Map<string, RWLayer>();
  await readEach(await names(db.mounts), damaged, `${label}/mounts`, async (name) => {
    const record = await readMountRecord(db.mountDir(name));
    if (record.parent && !layers.find(record.parent)) throw new DataLoss(parentMissing(record.parent));
    if (record.parent) layers.depend(record.parent);
    rwLayers.set(name, { name, ...record });
  });
  return { layers, rwLayers, damaged };
}

/** Names in a directory, byte-wise sorted; none when there is no directory. */
export async function names(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).sort();
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}

/** What has the place of a directory and is none. */
async function misplaced(db: LayerDB, label: string): Promise<Damaged[]> {
  const damaged: Damaged[] = [];
  for (const name of ["sha256", "mounts", "tmp"] as const) {
    const found = await stat(db[name]).catch(() => undefined);
    if (found && !found.isDirectory()) damaged.push({ path: `${label}/${name}`, why: "it is no directory" });
  }
  return damaged;
}

/** So many entries are read at once: each takes up to four file descriptors. */
const atOnce = 32;

async function readEach<T>(
  names: readonly string[],
  damaged: Damaged[],
  label: string,
  read: (name: string) => Promise<T>,
): Promise<T[]> {
  const found: T[] = [];
  const left = names.values();
  const worker = async () => {
    for (const name of left) {
      try {
        found.push(await read(name));
      } catch (error) {
        damaged.push({ path: `${label}/${name}`, why: messageOf(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return found;
}

/** Bottom layers first, then what lies on layers that were good; the rest has no good parent. */
function linkLayers(records: readonly LayerRecord[], damaged: Damaged[], label: string): LayerTable {
  const layers = new LayerTable();
  const above = byParent(records);
  let ready = take(above, undefined);
  while (ready.length > 0) {
    const good = ready.filter((record) => {
      const why = addLayer(layers, record);
      if (why) damaged.push({ path: `${label}/${record.chainID.slice(7)}`, why });
      return !why;
    });
    ready = good.flatMap((record) => take(above, record.chainID));
  }
  for (const record of [...above.values()].flat()) {
    damaged.push({ path: `${label}/${record.chainID.slice(7)}`, why: parentMissing(record.parent!) });
  }
  return layers;
}

function byParent(records: readonly LayerRecord[]): Map<ChainID | undefined, LayerRecord[]> {
  const groups = new Map<ChainID | undefined, LayerRecord[]>();
  for (const record of records) {
    const group = groups.get(record.parent);
    if (group) group.push(record);
    else groups.set(record.parent, [record]);
  }
  return groups;
}

/** @returns what is wrong with the record; then it is not added */
function addLayer(layers: LayerTable, record: LayerRecord): string | undefined {
  const real = nextChainID(record.parent, record.diffID);
  if (real !== record.chainID) return `diff and parent make chain id ${shortID(real)}, not the one it is stored under`;
  const below = record.parent && layers.get(record.parent);
  layers.add(layerOf(record, below));
  return undefined;
}

/** @param below the parent's layer, if the record has one */
export function layerOf(record: LayerRecord, below: Layer | undefined): Layer {
  return { ...record, size: (below?.size ?? 0) + record.diffSize, depth: (below?.depth ?? 0) + 1 };
}

function take<K, V>(map: Map<K, V[]>, key: K): V[] {
  const values = map.get(key) ?? [];
  map.delete(key);
  return values;
}

function parentMissing(parent: ChainID): string {
  return `its parent ${shortID(parent)} is missing or damaged`;
}
