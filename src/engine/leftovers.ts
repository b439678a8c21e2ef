import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { mountsBelow, removeTree } from "../disk/index.js";
import type { ImageStore } from "../image/index.js";
import type { LayerStore } from "../layer/index.js";
import { messageOf, shortID } from "../spec/index.js";
import { MNT, umount } from "../sys/index.js";
import type { ContainerStore } from "./container/container-store.js";
import { isNote, notedVolumes } from "./volume/volume-intents.js";
import type { VolumeStore } from "./volume/volume-store.js";

type Report = (line: string) => void;

/** What cannot be removed is told, and stays: a root is not kept closed by a leftover. */
async function removed(what: string, remove: () => Promise<unknown>, report: Report): Promise<void> {
  try {
    await remove();
    report(`removed ${what}, left by an interrupted operation`);
  } catch (error) {
    report(`${what}, left by an interrupted operation, cannot be removed: ${messageOf(error)}`);
  }
}

/**
 * Empties `tmp`: what is in it belongs to operations that are no more. dockerd does the same at its start. Notes of
 * volumes stay, for `sweepVolumes`.
 */
export async function sweepTmp(tmp: string, report: Report): Promise<void> {
  for (const name of (await readdir(tmp)).filter((name) => !isNote(name))) {
    await removed(`tmp/${name}`, () => removeTree(join(tmp, name)), report);
  }
}

/**
 * Unmounts what a process that was killed left mounted in `home`, the driver's or that of containers: merged views,
 * volumes in them, shared memory. The home itself may be a mount of the machine's, and what runs keeps what is its.
 */
export function sweepMounts(home: string, layers: LayerStore, containers: ContainerStore, report: Report): void {
  const running = containers.list().filter(({ stored }) => stored.State.Running);
  const kept = running.flatMap(({ stored: { ID } }) => [ID, layers.rw.find(ID)?.mountID ?? ID]);
  const left = mountsBelow(home).filter(({ path }) => path !== home && !kept.some((id) => path.includes(`/${id}/`)));
  for (const { path } of left) {
    try {
      umount(path, MNT.DETACH);
      report(`unmounted ${path}, left by an interrupted operation`);
    } catch (error) {
      report(`${path}, left mounted by an interrupted operation, cannot be unmounted: ${messageOf(error)}`);
    }
  }
}

/** Removes nameless volumes of containers that did not come to be. */
export async function sweepVolumes(tmp: string, volumes: VolumeStore, containers: ContainerStore, report: Report) {
  for (const { id, names, done } of await notedVolumes(tmp)) {
    for (const name of containers.isThere(id) ? [] : names) {
      if (!(await volumes.find(name)) || containers.hasVolume(name)) continue;
      await removed(`volume ${shortID(name)}`, () => volumes.delete(name), report);
    }
    await done();
  }
}

/** Removes writable layers of containers whose creation was interrupted, or whose removal was almost done. */
export async function sweepRWLayers(layers: LayerStore, containers: ContainerStore, report: Report): Promise<void> {
  for (const { name, initID } of layers.rw.list()) {
    // Others are named by whoever made them, as builders do, and are theirs.
    if (!/^[0-9a-f]{64}$/.test(name) || !initID || containers.isThere(name)) continue;
    await removed(`the writable layer of container ${shortID(name)}`, () => layers.rw.remove(name), report);
  }
}

/**
 * Removes read-only layers that no image, layer or container needs: what a load that was interrupted had registered.
 * Not while images are damaged, which may need them; and none that dockerd's build cache speaks of.
 */
export async function sweepLayers(root: string, layers: LayerStore, images: ImageStore, report: Report): Promise<void> {
  if (layers.damaged.length > 0 || images.damaged.length > 0) return;
  const cached = await buildCache(root);
  for (const { chainID } of layers.list()) if (cached.includes(chainID)) layers.acquire(chainID);
  for (const { chainID } of await layers.prune()) {
    report(`removed layer ${shortID(chainID)}, left by an interrupted operation`);
  }
}

const largestCache = 256 << 20;

/** The database of dockerd's build cache; ChainIDs are in it as text. Too large a one counts as speaking of all. */
async function buildCache(root: string): Promise<{ includes(chainID: string): boolean }> {
  const file = join(root, "buildkit", "snapshots.db");
  const found = await stat(file).catch(() => undefined);
  if (!found) return { includes: () => false };
  return found.size > largestCache ? { includes: () => true } : readFile(file);
}
