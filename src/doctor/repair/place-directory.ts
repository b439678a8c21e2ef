import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ensureDirectory, syncDirectory, syncFileSystem, writeAtomic } from "../../disk/index.js";
import type { CacheID, ChainID } from "../../spec/index.js";
import * as sys from "../../sys/index.js";
import type { RootState } from "../root/root-state.js";
import { linkByChildren } from "./proven-layer.js";
import type { Quarantine } from "./quarantine.js";
import type { FreshLayer } from "./staging.js";

interface Placing {
  readonly chainID: ChainID;
  readonly id: CacheID;
  readonly fresh: FreshLayer;
  readonly quarantine: Quarantine;
}

/**
 * Moves what is missing of a layer's directory over from the one made anew: all of it, or single things in it. With
 * overlay2 it keeps the short name by which others speak of it.
 */
export async function placeDirectory(state: RootState, { chainID, id, fresh, quarantine }: Placing): Promise<void> {
  const to = join(state.home, id);
  const link = fresh.link === undefined ? undefined : linkFor(state, chainID, id, fresh.link);
  if (link !== undefined) await writeAtomic(join(fresh.directory, "link"), link);
  await syncFileSystem(fresh.directory);
  const found = state.directories.get(id);
  if (found && found.node.kind !== "directory")
    quarantine.take(to, `it is no directory, but layer ${chainID} has to be there`);
  if (!isThere(to)) move(fresh.directory, to);
  // vfs: the directory is the tree itself.
  else if (state.driver !== "vfs") {
    for (const name of readdirSync(fresh.directory)) {
      const path = join(to, name);
      if (name === contentName(state) && isThere(path) && !isDirectory(path))
        quarantine.take(path, "it is no directory");
      if (!isThere(path)) move(join(fresh.directory, name), path);
    }
  }
  await syncDirectory(to);
  await syncDirectory(state.home);
  if (link !== undefined) await pointTo(state, link, id);
}

/** As the layer itself says, or a link to it, or those upon it; else a new one. */
function linkFor(state: RootState, chainID: ChainID, id: CacheID, drawn: string): string {
  const fact = state.directories.get(id)?.link;
  const own = fact && "text" in fact ? fact.text : undefined;
  const leading = [...state.links].find(([, { target }]) => target === `../${id}/diff`)?.[0];
  const candidates = [own, leading, linkByChildren(state, chainID)];
  return candidates.find((link) => link !== undefined && isFree(state, link, id)) ?? drawn;
}

/** Nobody else is meant by it. */
function isFree({ links }: RootState, link: string, id: CacheID): boolean {
  const target = links.get(link)?.target;
  return /^[A-Z2-7]{26}$/.test(link) && (target === undefined || target === `../${id}/diff`);
}

async function pointTo(state: RootState, link: string, id: CacheID): Promise<void> {
  const dir = join(state.home, "l");
  await ensureDirectory(dir, 0o700);
  if (isThere(join(dir, link))) return;
  sys.symlinkat(`../${id}/diff`, sys.AT_FDCWD, join(dir, link));
  await syncDirectory(dir);
}

function contentName({ driver }: RootState): string {
  return driver === "overlay2" ? "diff" : "root";
}

function move(from: string, to: string): void {
  sys.renameat2(sys.AT_FDCWD, from, sys.AT_FDCWD, to, sys.rename.noReplace);
}

function isThere(path: string): boolean {
  return sys.tryLstatat(sys.AT_FDCWD, path, new sys.Stat());
}

function isDirectory(path: string): boolean {
  return (sys.lstatat(sys.AT_FDCWD, path, new sys.Stat()).mode & sys.S.IFMT) === sys.S.IFDIR;
}
