import type { Stats } from "node:fs";
import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "../../engine/index.js";
import {
  type CacheID,
  type ChainID,
  chainID,
  compareNames,
  type DiffID,
  decodeName,
  encodeName,
  hexOf,
  isErrno,
  joinPath,
  type Path,
} from "../../spec/index.js";

/** A layer's place in the data root, as the files there tell it. */
export interface LayerPlace {
  readonly diffID: DiffID;
  readonly chainID: ChainID;
  readonly cacheID: CacheID;
  /** The driver's directory for the layer. */
  readonly home: string;
  /** Where its own files are. */
  readonly content: string;
}

/** Reads from the layerdb where the layers are. @param diffIDs bottom first @returns the same order */
export async function layerPlaces(engine: Engine, diffIDs: readonly DiffID[]): Promise<LayerPlace[]> {
  return Promise.all(
    diffIDs.map(async (diffID, i) => {
      const chain = chainID(diffIDs.slice(0, i + 1) as [DiffID, ...DiffID[]]);
      const entry = join(layerdb(engine), "sha256", hexOf(chain), "cache-id");
      const cacheID = (await readFile(entry, "utf8")).trim();
      return { diffID, chainID: chain, cacheID, ...directoriesOf(engine, cacheID) };
    }),
  );
}

export function layerdb(engine: Engine): string {
  return join(engine.root, "image", engine.driver.name, "layerdb");
}

/** Directories of an id of any kind: an image layer, an init layer, a container's. */
export function directoriesOf(engine: Engine, id: CacheID): { home: string; content: string } {
  if (engine.driver.name === "vfs") {
    const directory = join(engine.root, "vfs", "dir", id);
    return { home: directory, content: directory };
  }
  const home = join(engine.root, engine.driver.name, id);
  return { home, content: join(home, "diff") };
}

export interface Census {
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  /** 0:0 character devices: what overlayfs takes for "not here, and not below". */
  readonly whiteouts: readonly string[];
  readonly bytes: number;
}

/** Counts what is in a tree, following nothing. */
export async function census(directory: string): Promise<Census> {
  const found = { files: 0, directories: 0, symlinks: 0, whiteouts: [] as string[], bytes: 0 };
  for await (const { path, stat } of walk(directory)) {
    if (stat.isDirectory()) found.directories++;
    else if (stat.isSymbolicLink()) found.symlinks++;
    else if (isWhiteout(stat)) found.whiteouts.push(path);
    else found.files++;
    if (stat.isFile()) found.bytes += stat.size;
  }
  return found;
}

/** All nodes below a directory, depth first, names in order; paths relative to it. No symlink is followed. */
export async function* walk(directory: string, below: Path = ""): AsyncGenerator<{ path: Path; stat: Stats }> {
  const names = await readdir(encodeName(join(directory, below)), { encoding: "buffer" });
  for (const name of names.map(decodeName).sort(compareNames)) {
    const path = joinPath(below, name);
    const stat = await lstat(encodeName(join(directory, path)));
    yield { path, stat };
    if (stat.isDirectory()) yield* walk(directory, path);
  }
}

export function isWhiteout(stat: Stats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0;
}

/** The text of a small file of the data root; undefined when it is not there. */
export async function textOf(path: string): Promise<string | undefined> {
  return absent(readFile(encodeName(path), "utf8"));
}

export async function statOf(path: string): Promise<Stats | undefined> {
  return absent(lstat(encodeName(path)));
}

async function absent<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
