import { Conflict, NotFound } from "../../spec/index.js";
import type { Volume, VolumeCreateBody } from "../api-system.js";
import type { ContainerStore } from "../container/container-store.js";
import type { CopyThreads } from "../copy/copy-threads.js";
import type { Events } from "../events.js";
import {
  checkFilters,
  flagFilter,
  matchesExactly,
  matchesLabels,
  matchesPattern,
  prunableByLabels,
} from "../filters.js";
import type { Turns } from "../turns.js";
import type { Volumes } from "../volumes.js";
import type { VolumeStore } from "./volume-store.js";

export interface VolumeParts {
  readonly volumes: VolumeStore;
  readonly store: ContainerStore;
  readonly events: Events;
  readonly threads: CopyThreads;
  readonly turns: Turns;
}

/** Operations on the volumes of one data root. */
export function volumeOperations(parts: VolumeParts): Volumes {
  const { volumes, turns } = parts;
  return {
    async list({ filters = {} } = {}) {
      checkFilters(filters, ["dangling", "driver", "label", "name"]);
      const dangling = flagFilter(filters, "dangling");
      const fits = ({ Name, Driver, Labels }: Volume) =>
        matchesPattern(filters, "name", Name) &&
        matchesExactly(filters, "driver", Driver) &&
        matchesLabels(filters, Labels) &&
        (dangling === undefined || dangling === (usersOf(parts, Name).length === 0));
      return { Volumes: (await volumes.list()).filter(fits), Warnings: null };
    },
    inspect: (name) => volumes.get(name),
    create: (body) => create(parts, body),
    remove: (name, { force = false } = {}) => turns.alone(`volume ${name}`, () => remove(parts, name, force)),
    async prune({ filters = {}, anonymousOnly = false } = {}) {
      checkFilters(filters, ["label", "label!"]);
      return prune(parts, ({ Name, Labels }) => {
        const wanted = !anonymousOnly || /^[0-9a-f]{64}$/.test(Name);
        return wanted && prunableByLabels(filters, Labels);
      });
    },
  };
}

async function create({ volumes, events, turns }: VolumeParts, body: VolumeCreateBody): Promise<Volume> {
  return turns.alone(`volume ${body.Name ?? ""}`, async () => {
    const { volume, isNew } = await volumes.create(body);
    if (isNew) events.emit("volume", "create", volume.Name, { driver: "local" });
    return volume;
  });
}

/** Ids of the containers that have a volume. */
function usersOf({ store }: VolumeParts, name: string): string[] {
  const has = ({ stored }: { stored: { MountPoints: Record<string, { Name: string }> } }) =>
    Object.values(stored.MountPoints).some((mount) => mount.Name === name);
  return store
    .list()
    .filter(has)
    .map(({ stored }) => stored.ID);
}

async function remove(parts: VolumeParts, name: string, force: boolean): Promise<void> {
  const { volumes, events } = parts;
  if (!(await volumes.find(name))) {
    if (force) return;
    throw new NotFound(`get ${name}: no such volume`);
  }
  const users = usersOf(parts, name);
  if (users.length > 0 || volumes.claims(name) > 0) {
    throw new Conflict(`remove ${name}: volume is in use - [${users.join(", ")}]`);
  }
  await volumes.delete(name);
  events.emit("volume", "destroy", name, { driver: "local" });
}

async function prune(parts: VolumeParts, wanted: (volume: Volume) => boolean) {
  const { volumes, events, turns } = parts;
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const volume of (await volumes.list()).filter(wanted)) {
    await turns.alone(`volume ${volume.Name}`, async () => {
      if (usersOf(parts, volume.Name).length > 0 || volumes.claims(volume.Name) > 0) return;
      const { Size } = await usageOf(parts, volume);
      await volumes.delete(volume.Name);
      events.emit("volume", "destroy", volume.Name, { driver: "local" });
      reclaimed += Math.max(Size, 0);
      deleted.push(volume.Name);
    });
  }
  events.emit("volume", "prune", "", { reclaimed: String(reclaimed) });
  return { VolumesDeleted: deleted, SpaceReclaimed: reclaimed };
}

/** A volume that has to be mounted before use has no size that can be told. */
async function usageOf(parts: VolumeParts, { Name, Options, Mountpoint }: Volume) {
  const job = { kind: "measure", root: Mountpoint } as const;
  const Size = Options ? -1 : await parts.threads.measure(job, { label: `volume ${Name}` });
  return { RefCount: usersOf(parts, Name).length, Size };
}
