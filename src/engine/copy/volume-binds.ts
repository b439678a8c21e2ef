import { open, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeDirectories } from "../../disk/index.js";
import { isErrno, Undo } from "../../spec/index.js";
import { MNT, MS, mount, umount } from "../../sys/index.js";
import type { StoredContainer } from "../container/stored.js";
import { parsePath, Root } from "./container-path.js";

interface Shown {
  users: number;
  readonly undo: Promise<Undo>;
}

/**
 * Shows the volumes and binds of containers inside their mounted trees, as `docker cp` sees them. Counted: the first
 * user of a container brings them in, the last takes them out.
 */
export class VolumeBinds {
  readonly #shown = new Map<string, Shown>();

  /** @param root the container's mounted tree, which stays mounted for as long as the result lives */
  async show(container: StoredContainer, root: string): Promise<AsyncDisposable> {
    const { ID: id } = container;
    const shown = this.#shown.get(id) ?? { users: 0, undo: bindAll(container, root) };
    this.#shown.set(id, shown);
    shown.users++;
    const undo = await shown.undo.catch((error) => {
      if (this.#shown.get(id) === shown) this.#shown.delete(id);
      throw error;
    });
    return {
      [Symbol.asyncDispose]: async () => {
        if (--shown.users > 0) return;
        this.#shown.delete(id);
        await undo[Symbol.asyncDispose]();
      },
    };
  }
}

async function bindAll({ MountPoints }: StoredContainer, root: string): Promise<Undo> {
  const undo = new Undo();
  await using failed = new Undo();
  failed.defer(() => undo[Symbol.asyncDispose]());
  const mounts = Object.values(MountPoints).filter(({ Type, Source }) => Type !== "tmpfs" && Source !== "");
  for (const { Destination, Source, RW } of mounts.sort((a, b) => (a.Destination < b.Destination ? -1 : 1))) {
    const source = await stat(Source).catch(() => undefined);
    // A bind whose source is gone shows nothing.
    if (!source) continue;
    const target = await placeFor(root, Destination, source.isDirectory());
    if (!tryBind(Source, target)) break;
    undo.defer(() => umount(target, MNT.DETACH));
    mount("none", target, null, MS.PRIVATE | MS.REC, null);
    if (!RW) mount("none", target, null, MS.BIND | MS.REMOUNT | MS.RDONLY, null);
  }
  failed.done();
  return undo;
}

/** What to mount upon; made when it is not there, as a container's start would. */
async function placeFor(path: string, destination: string, isDirectory: boolean): Promise<string> {
  using root = new Root(path);
  const place = join(path, root.resolve({ ...parsePath(destination), isDirectory: true }));
  await makeDirectories(isDirectory ? place : dirname(place), 0o755);
  if (!isDirectory) await (await open(place, "a", 0o755)).close();
  return place;
}

/** @returns false: this process may not mount, and the container's own tree has to do */
function tryBind(source: string, target: string): boolean {
  try {
    mount(source, target, null, MS.BIND | MS.REC, null);
    return true;
  } catch (error) {
    if (isErrno(error, "EPERM")) return false;
    throw error;
  }
}
