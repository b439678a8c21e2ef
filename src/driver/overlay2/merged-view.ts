import { statSync } from "node:fs";
import { chmod, rmdir } from "node:fs/promises";
import { makeDirectories } from "../../disk/index.js";
import { type CacheID, isErrno, NotFound, shortID } from "../../spec/index.js";
import { statfs } from "../../sys/index.js";
import { overlayMagic } from "../checks/backing-filesystem.js";
import { pathExists } from "../layer-names.js";
import type { Begun } from "../layer-uses.js";
import { mountOverlay, type OverlayFeatures, type OverlayStack, unmountOverlay } from "../mount/overlay-mount.js";
import type { Home } from "./home.js";

/**
 * The tree of a layer with all below it: mounted read-write, or read-only once another layer is upon it. A mount that
 * a crash has left is taken over. A layer over nothing is its own directory.
 *
 * @throws NotFound
 */
export async function beginMerged(home: Home, id: CacheID, features: OverlayFeatures): Promise<Begun> {
  if (!(await home.has(id))) throw new NotFound(`there is no layer ${shortID(id)}`);
  const lowers = await home.lowers(id);
  if (lowers === undefined) return { path: home.file(id, "diff"), end: async () => {} };
  const path = home.file(id, "merged");
  if (!(await isMounted(path))) await mountFresh(home, id, lowers, features);
  return { path, end: () => endMerged(path) };
}

/** Unmounts what is at a layer's `merged`; nothing there is no error. */
export async function endMerged(path: string): Promise<void> {
  await unmountOverlay(path);
  await rmdir(path).catch((error: unknown) => {
    if (!isErrno(error, "ENOENT")) throw error;
  });
}

/** An overlay at the path that is not just the file system the home itself is on. */
async function isMounted(path: string): Promise<boolean> {
  if (!(await pathExists(path)) || statfs(path).type !== overlayMagic) return false;
  return statSync(path).dev !== statSync(`${path}/..`).dev;
}

async function mountFresh(home: Home, id: CacheID, lowers: string[], features: OverlayFeatures): Promise<void> {
  const path = home.file(id, "merged");
  await makeDirectories(path, 0o700);
  await chmod(path, 0o700);
  try {
    await mountOverlay(home.path, await stackOf(home, id, lowers), features);
  } catch (error) {
    await endMerged(path);
    throw error;
  }
}

async function stackOf(home: Home, id: CacheID, lowers: string[]): Promise<OverlayStack> {
  const target = `${id}/merged`;
  if (await pathExists(home.file(id, "committed"))) return { lowers: [`${id}/diff`, ...lowers], target };
  return { lowers, upper: { dir: `${id}/diff`, work: `${id}/work` }, target };
}
