import { ownersAreLimited } from "../../driver/index.js";
import { InvalidParameter, isErrno, NotFound, type RunConfig, randomID, type Undo } from "../../spec/index.js";
import { S } from "../../sys/index.js";
import type { HostConfig } from "../api-container.js";
import { parsePath, Root } from "../copy/container-path.js";
import { statAt } from "../copy/path-stat.js";
import type { ContainerParts } from "./container-parts.js";
import { isMountMode } from "./mount-mode.js";
import { cleanTarget, type WantedMount } from "./mount-request.js";
import type { StoredMount } from "./stored.js";

interface Wish {
  readonly id: string;
  readonly config: RunConfig;
  readonly host: HostConfig;
  readonly wanted: readonly WantedMount[];
}

/**
 * The mounts of a new container, by destination; volumes they need are made, and new ones filled with what the image
 * has at their place.
 *
 * @param undo takes away the volumes made, if the container does not come to be
 */
export async function makeMountPoints(
  parts: ContainerParts,
  { id, config, host, wanted }: Wish,
  undo: Undo,
): Promise<Record<string, StoredMount>> {
  const mounts = new Map(inherited(parts, host).map((mount) => [mount.Destination, mount]));
  const fresh: StoredMount[] = [];
  for (const wish of wanted) {
    const mount = await withVolume(parts, wish, undo);
    mounts.set(mount.Destination, mount);
    if (wish.copy) fresh.push(mount);
  }
  for (const path of Object.keys(config.Volumes ?? {}).sort()) {
    const Destination = cleanTarget(path);
    if (mounts.has(Destination)) continue;
    const mount = await withVolume(parts, { mount: anonymous(Destination), copy: true }, undo);
    mounts.set(Destination, mount);
    fresh.push(mount);
  }
  if (fresh.length > 0) await fillVolumes(parts, id, fresh);
  return Object.fromEntries([...mounts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A mount made from `Config.Volumes`: its empty `Spec` tells it from one that was asked for. */
function anonymous(Destination: string): StoredMount {
  const place = { Source: "", Destination, RW: true, Name: "", Driver: "local" };
  return { ...place, Type: "volume", Spec: {}, SkipMountpointCreation: false };
}

/** The mounts of other containers that `VolumesFrom` names. @throws InvalidParameter: no such container, bad mode */
function inherited({ store }: ContainerParts, { VolumesFrom }: HostConfig): StoredMount[] {
  return (VolumesFrom ?? []).flatMap((from) => {
    const [name = "", mode = ""] = from.split(":");
    if (name === "" || !isMountMode(mode)) throw new InvalidParameter(`invalid volumes-from specification: ${from}`);
    const { stored } = found(() => store.find(name));
    const writable = !mode.split(",").includes("ro");
    return Object.values(stored.MountPoints).map((mount) => ({ ...mount, RW: mount.RW && writable }));
  });
}

function found<T>(find: () => T): T {
  try {
    return find();
  } catch (error) {
    if (error instanceof NotFound) throw new InvalidParameter(error.message, { cause: error });
    throw error;
  }
}

async function withVolume(parts: ContainerParts, wish: WantedMount, undo: Undo): Promise<StoredMount> {
  const { mount, labels, driverOptions } = wish;
  if (mount.Type !== "volume") return mount;
  const Name = mount.Name || randomID();
  const body = { Name, Driver: mount.Driver, Labels: labels ?? null, DriverOpts: driverOptions ?? null };
  const { volume, isNew } = await parts.volumes.create(body);
  if (isNew) {
    undo.defer(() => parts.volumes.delete(Name));
    parts.events.emit("volume", "create", Name, { driver: "local" });
  }
  const asked = mount.Spec.Type !== undefined;
  const { Source: _, Name: __, Destination, RW, Driver, Type, ...rest } = mount;
  const relabel = asked && !mount.Relabel ? { Relabel: "z" } : {};
  return { Source: volume.Mountpoint, Destination, RW, Name, Driver, Type, ...relabel, ...rest };
}

/** Copies what the image has at a volume's place into it, if it is empty: content, and the directory's owner and mode. */
async function fillVolumes(parts: ContainerParts, id: string, mounts: readonly StoredMount[]): Promise<void> {
  await using mounted = await parts.layers.rw.mount(id);
  using root = new Root(mounted.path);
  for (const { Destination, Name } of mounts) {
    const base = root.resolve({ ...parsePath(Destination), isDirectory: true });
    const kind = kindAt(root, base);
    if (kind === undefined || !(await parts.volumes.isEmpty(Name))) continue;
    if (kind !== S.IFDIR) {
      throw new InvalidParameter(`cannot mount volume over existing file, file exists ${Destination}`);
    }
    const place = { root: parts.volumes.pathOf(Name), base: "", whiteouts: "none", xattrPrefix: "trusted.overlay." };
    const target = {
      ...place,
      whiteouts: "none",
      impliedMode: 0o755,
      rootMeta: true,
      lenient: ownersAreLimited(),
    } as const;
    await parts.threads.fill({ kind: "fill", root: mounted.path, base, target }, { label: `volume ${Name}` });
  }
}

/** File type of what is at `path`; undefined when nothing is. */
function kindAt(root: Root, path: string): number | undefined {
  try {
    return statAt(root, path, () => new NotFound("")).mode & S.IFMT;
  } catch (error) {
    if (error instanceof NotFound || isErrno(error, "ENOTDIR")) return undefined;
    throw error;
  }
}
