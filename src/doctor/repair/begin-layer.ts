import { lstatSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { ensureDirectory, syncDirectory, syncFileSystem } from "../../disk/index.js";
import { initPaths } from "../../layer/index.js";
import { type CacheID, DataLoss } from "../../spec/index.js";
import * as sys from "../../sys/index.js";
import type { Step } from "../check/finding.js";
import { writableTree } from "../root/read-home.js";
import { ownerOfLayer } from "../root/remapped.js";
import type { RootState } from "../root/root-state.js";
import { assertOwnersAreKept } from "./patient.js";
import type { Restoring } from "./restoring.js";

const { AT_FDCWD } = sys;

/**
 * Gives a writable layer that has no files those that it would have if its driver had made it now. Below it everything
 * has to be whole. One that has files stays as it is.
 *
 * @returns nothing to be told
 * @throws DataLoss: what it lies on is not there
 */
export async function beginLayer(
  { state, staging }: Restoring,
  { id, below }: Step & { readonly kind: "begin-layer" },
): Promise<string> {
  assertOwnersAreKept(state);
  const to = treeOf(state, id);
  if (hasFiles(to)) return "";
  if (below !== undefined && state.directories.get(below)?.node.kind !== "directory") {
    throw new DataLoss(`the layer below, ${below}, is not there`);
  }
  const made = await (await staging()).begin(state, id as CacheID, below as CacheID | undefined);
  if (state.driver !== "overlay2" && id.endsWith("-init")) takeTimes(treeOf(state, id.replace(/-init$/, "")), made);
  await syncFileSystem(made);
  if (state.driver !== "vfs") await ensureDirectory(dirname(to), 0o710, ownerOfLayer(state.root).owner);
  // In place of an empty directory, or of nothing.
  sys.renameat2(AT_FDCWD, made, AT_FDCWD, to);
  await syncDirectory(dirname(to));
  return "";
}

function treeOf({ home, driver }: RootState, id: string): string {
  return join(home, id, writableTree(driver));
}

/**
 * The container's copies of what an init layer has tell when that was made. docker diff compares both, times of files
 * included, where a driver keeps copies.
 */
function takeTimes(from: string, to: string): void {
  const [theirs, ours] = [new sys.Stat(), new sys.Stat()];
  for (const path of initPaths) {
    const isThere =
      sys.tryLstatat(AT_FDCWD, join(from, path), theirs) && sys.tryLstatat(AT_FDCWD, join(to, path), ours);
    if (!isThere || theirs.mode !== ours.mode || theirs.size !== ours.size) continue;
    sys.lutimesat(AT_FDCWD, join(to, path), theirs.mtimeNs, theirs.mtimeNs);
  }
}

function hasFiles(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true && readdirSync(path).length > 0;
}
