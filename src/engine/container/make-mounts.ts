import { InvalidParameter, NotFound, randomID, type Undo } from "../../spec/index.js";
import type { HostConfig } from "../api-container.js";
import type { ContainerParts } from "./container-parts.js";
import type { ContainerRequest } from "./container-request.js";
import { isMountMode } from "./mount-mode.js";
import { cleanTarget, type WantedMount } from "./mount-request.js";
import type { StoredMount } from "./stored.js";

/** The mounts of a new container. */
export interface MadeMounts {
  /** By destination. */
  readonly mounts: Record<string, StoredMount>;
  /** Volumes among them that are to be filled from the image when they are empty. */
  readonly fresh: readonly StoredMount[];
}

/**
 * Works out the mounts of a new container, and makes the volumes they need.
 *
 * @param undo takes away the volumes made, if the container does not come to be
 * @param claims keeps the volumes from being removed, until the container is there
 */
export async function makeMountPoints(
  parts: ContainerParts,
  { config, host, wanted }: ContainerRequest,
  undo: Undo,
  claims: Undo,
): Promise<MadeMounts> {
  const make = (wish: WantedMount) => withVolume(parts, wish, undo, claims);
  const mounts = new Map(inherited(parts, host).map((mount) => [mount.Destination, mount]));
  for (const { Type, Name } of mounts.values()) if (Type === "volume") claim(parts, Name, claims);
  const fresh: StoredMount[] = [];
  for (const wish of wanted) {
    const mount = await make(wish);
    mounts.set(mount.Destination, mount);
    if (wish.copy) fresh.push(mount);
  }
  for (const path of Object.keys(config.Volumes ?? {}).sort()) {
    const Destination = cleanTarget(path);
    if (mounts.has(Destination)) continue;
    const mount = await make({ mount: anonymous(Destination), copy: true });
    mounts.set(Destination, mount);
    fresh.push(mount);
  }
  return { mounts: Object.fromEntries([...mounts].sort(([a], [b]) => (a < b ? -1 : 1))), fresh };
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

function claim({ volumes }: ContainerParts, name: string, claims: Undo): void {
  const claimed = volumes.claim(name);
  claims.defer(() => claimed[Symbol.dispose]());
}

async function withVolume(parts: ContainerParts, wish: WantedMount, undo: Undo, claims: Undo): Promise<StoredMount> {
  const { mount, labels, driverOptions } = wish;
  if (mount.Type !== "volume") return mount;
  const Name = mount.Name || randomID();
  const body = { Name, Driver: mount.Driver, Labels: labels ?? null, DriverOpts: driverOptions ?? null };
  const { volume, isNew } = await parts.turns.alone(`volume ${Name}`, () => {
    claim(parts, Name, claims);
    return parts.volumes.create(body);
  });
  if (isNew) {
    undo.defer(() => parts.volumes.delete(Name));
    parts.events.emit("volume", "create", Name, { driver: "local" });
  }
  const { Source: _, Name: __, Destination, RW, Driver, Type, ...rest } = mount;
  const relabel = mount.Spec.Type !== undefined && !mount.Relabel ? { Relabel: "z" } : {};
  return { Source: volume.Mountpoint, Destination, RW, Name, Driver, Type, ...relabel, ...rest };
}
