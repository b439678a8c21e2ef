import { InvalidParameter, NotFound, randomID, type Undo } from "../../spec/index.js";
import type { HostConfig } from "../api-container.js";
import { noteVolumes } from "../volume/volume-intents.js";
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

/** What lasts for as long as a container is being made. */
export interface Making {
  /** Taken back if the container does not come to be. */
  readonly undo: Undo;
  /** Given back once the container is there, or is not. */
  readonly held: Undo;
}

/** Works out the mounts of a new container, and makes the volumes they need. */
export async function makeMountPoints(
  parts: ContainerParts,
  request: ContainerRequest,
  making: Making,
): Promise<MadeMounts> {
  const mounts = new Map(inherited(parts, request.host).map((mount) => [mount.Destination, mount]));
  for (const { Type, Name } of mounts.values()) if (Type === "volume") claim(parts, Name, making);
  const wishes = wishesOf(request, mounts);
  const nameless = wishes.filter(({ mount }) => mount.Type === "volume" && !mount.Spec.Source);
  const note = await noteVolumes(
    parts.tmp,
    request.id,
    nameless.map(({ mount }) => mount.Name),
  );
  making.held.defer(() => note[Symbol.asyncDispose]());
  const fresh: StoredMount[] = [];
  for (const wish of wishes) {
    const mount = await withVolume(parts, wish, making);
    mounts.set(mount.Destination, mount);
    if (wish.copy) fresh.push(mount);
  }
  return { mounts: Object.fromEntries([...mounts].sort(([a], [b]) => (a < b ? -1 : 1))), fresh };
}

/** What was asked for, and what `Config.Volumes` adds where nothing is mounted yet; every volume has a name. */
function wishesOf({ config, wanted }: ContainerRequest, inherited: ReadonlyMap<string, StoredMount>): WantedMount[] {
  const taken = new Set([...inherited.keys(), ...wanted.map(({ mount }) => mount.Destination)]);
  const places = Object.keys(config.Volumes ?? {}).map(cleanTarget);
  const added = [...new Set(places)].filter((place) => !taken.has(place)).sort();
  const all = [...wanted, ...added.map((place) => ({ mount: anonymous(place), copy: true }))];
  return all.map((wish) => {
    const isNameless = wish.mount.Type === "volume" && wish.mount.Name === "";
    return isNameless ? { ...wish, mount: { ...wish.mount, Name: randomID() } } : wish;
  });
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

function claim({ volumes }: ContainerParts, name: string, { held }: Making): void {
  const claimed = volumes.claim(name);
  held.defer(() => claimed[Symbol.dispose]());
}

async function withVolume(parts: ContainerParts, wish: WantedMount, making: Making): Promise<StoredMount> {
  const { mount, labels, driverOptions } = wish;
  if (mount.Type !== "volume") return mount;
  const { Source: _, Name, Destination, RW, Driver, Type, ...rest } = mount;
  const body = { Name, Driver, Labels: labels ?? null, DriverOpts: driverOptions ?? null };
  const { volume, isNew } = await parts.turns.alone(`volume ${Name}`, () => {
    claim(parts, Name, making);
    return parts.volumes.create(body);
  });
  if (isNew) {
    making.undo.defer(() => unmake(parts, Name));
    parts.events.emit("volume", "create", Name, { driver: "local" });
  }
  const relabel = mount.Spec.Type !== undefined && !mount.Relabel ? { Relabel: "z" } : {};
  return { Source: volume.Mountpoint, Destination, RW, Name, Driver, Type, ...relabel, ...rest };
}

/** Takes a volume away again, unless another container has come to want it meanwhile. */
async function unmake({ volumes, store, turns }: ContainerParts, name: string): Promise<void> {
  await turns.alone(`volume ${name}`, async () => {
    if (volumes.claims(name) <= 1 && !store.hasVolume(name)) await volumes.delete(name);
  });
}
