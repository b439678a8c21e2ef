import { existsSync } from "node:fs";
import { copyFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { ensureDirectory, syncDirectory, syncFile, syncFileSystem, WriteSet, writeAtomic } from "../../disk/index.js";
import { type LayerRecord, layerFacts, verifyBare } from "../../layer/index.js";
import { hexOf } from "../../spec/index.js";
import * as sys from "../../sys/index.js";
import type { RootState } from "../root/root-state.js";
import type { Quarantine } from "./quarantine.js";
import type { FreshLayer } from "./staging.js";

const splitName = "tar-split.json.gz";

/**
 * Writes what is missing or wrong of a layer's entry in the layerdb; one that is not there at all appears whole.
 *
 * @returns whether anything was
 * @param content the directory with the layer's files, which are right by now
 */
export async function writeEntry(
  { layerdb, home }: RootState,
  record: LayerRecord,
  content: string,
  fresh: FreshLayer,
  quarantine: Quarantine,
): Promise<boolean> {
  const path = join(layerdb.path, "sha256", hexOf(record.chainID));
  const entry = layerdb.layers.get(hexOf(record.chainID));
  const why = `the entry of layer ${record.chainID} was damaged`;
  // What the entry is about is on the disk before it.
  await syncFileSystem(home);
  if (entry && entry.node.kind !== "directory") quarantine.take(path, why);
  if (entry?.node.kind !== "directory") {
    await newEntry(layerdb.path, path, record, fresh);
    return true;
  }
  const isValid: Readonly<Record<string, boolean>> = {
    diff: entry.diffID === record.diffID,
    parent: entry.parent === record.parent,
    "cache-id": entry.cacheID === record.cacheID,
    size: entry.diffSize !== undefined,
  };
  const wrong = Object.entries(layerFacts(record)).filter(([name]) => !isValid[name]);
  for (const [name, text] of wrong) {
    await replace(join(path, name), quarantine, why, (file) => writeAtomic(file, text));
  }
  const isBottom = !record.parent && entry.nodes.has("parent");
  if (isBottom) quarantine.take(join(path, "parent"), why);
  const split = join(path, splitName);
  const isWhole = await verifyBare({ root: content, split, diffID: record.diffID }).then(
    () => true,
    () => false,
  );
  if (isWhole) return wrong.length > 0 || isBottom;
  await replace(split, quarantine, why, async (file) => {
    await syncFile(fresh.split);
    sys.renameat2(sys.AT_FDCWD, fresh.split, sys.AT_FDCWD, file);
  });
  await syncDirectory(path);
  return true;
}

async function newEntry(layerdb: string, path: string, record: LayerRecord, fresh: FreshLayer): Promise<void> {
  const tmp = join(layerdb, "tmp");
  await ensureDirectory(tmp, 0o755);
  await ensureDirectory(join(layerdb, "sha256"), 0o755);
  await using set = await WriteSet.open(tmp);
  for (const [name, text] of Object.entries(layerFacts(record))) await set.write(name, text);
  await copyFile(fresh.split, join(set.path, splitName));
  await set.commit(path);
}

/** What is there is kept; a directory in the way as well. */
async function replace(
  file: string,
  quarantine: Quarantine,
  why: string,
  write: (file: string) => Promise<void>,
): Promise<void> {
  if (existsSync(file)) {
    const isDirectory = await readdir(file).then(
      () => true,
      () => false,
    );
    if (isDirectory) quarantine.take(file, why);
    else quarantine.link(file, why);
  }
  await write(file);
}
