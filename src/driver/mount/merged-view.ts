import { statSync } from "node:fs";
import { chmod, realpath, rmdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { makeDirectories, mountsBelow } from "../../disk/index.js";
import { type CacheID, isErrno } from "../../spec/index.js";
import { MNT, statfs, umountInBackground } from "../../sys/index.js";
import { overlayMagic } from "../checks/backing-filesystem.js";
import { ifMissing, pathExists } from "../layer-names.js";
import type { Begun } from "../layer-uses.js";
import { mountOverlay, type OverlayFeatures, type OverlayStack, unmountOverlay } from "./overlay-mount.js";

/** Mounts a stack; what a crash has left mounted at its target is taken over. @throws Unavailable: the kernel refuses it */
export async function beginMerged(home: string, stack: OverlayStack, features: OverlayFeatures): Promise<Begun> {
  const path = join(home, stack.target);
  if (!(await isMounted(path))) await mountFresh(home, stack, features);
  return { path, end: () => endMerged(path) };
}

/**
 * Unmounts what is mounted below a driver's home, and not the home, which may well be a mount: somebody else's.
 *
 * @param keep layers whose mounts stay
 */
export async function endAllMerged(path: string, keep: readonly CacheID[]): Promise<void> {
  const home = await realpath(path).catch(ifMissing);
  if (home === undefined) return;
  const stays = (path: string) => path === home || keep.some((id) => path.startsWith(`${home}/${id}/`));
  for (const { path } of mountsBelow(home).filter((mount) => !stays(mount.path))) {
    if (basename(path) === "merged") await endMerged(path);
    else await umountInBackground(path, MNT.DETACH);
  }
}

/** Unmounts what is at a layer's `merged`; nothing there is no error. */
async function endMerged(path: string): Promise<void> {
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

async function mountFresh(home: string, stack: OverlayStack, features: OverlayFeatures): Promise<void> {
  const path = join(home, stack.target);
  await makeDirectories(path, 0o700);
  await chmod(path, 0o700);
  try {
    await mountOverlay(home, stack, features);
  } catch (error) {
    await endMerged(path);
    throw error;
  }
}
