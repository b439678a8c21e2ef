import { Conflict, InvalidParameter, isErrno, messageOf, parseRFC3339 } from "../../spec/index.js";
import type { ContainersPruned } from "../api-container.js";
import type { Filters } from "../api-system.js";
import type { ContainerRemoveOptions } from "../containers.js";
import { checkFilters, prunableByLabels } from "../filters.js";
import { parseTimestamp } from "../timestamp.js";
import { type ContainerParts, emitContainer } from "./container-parts.js";
import type { Container } from "./container-store.js";

/** @see Containers.remove */
export async function removeContainer(
  parts: ContainerParts,
  name: string,
  { volumes = false, link = false, force = false }: ContainerRemoveOptions = {},
): Promise<void> {
  const { store, turns } = parts;
  if (link) throw new Conflict("Conflict, cannot remove the default link name of the container");
  const { ID: id } = store.find(name).stored;
  await turns.alone(id, async () => {
    const container = store.find(id);
    refuseIfRunning(container, force);
    await bury(parts, container, volumes);
  });
}

function refuseIfRunning({ stored }: Container, force: boolean): void {
  const { Running, Paused, Pid } = stored.State;
  if (!Running) return;
  if (force)
    throw new Conflict(`container ${stored.ID} is run by another engine (process ${Pid}): stop it there first`);
  const [state, how] = Paused ? ["paused", "Unpause and then stop"] : ["running", "Stop"];
  throw new Conflict(
    `You cannot remove a ${state} container ${stored.ID}. ${how} the container before attempting removal or force remove`,
  );
}

/**
 * Removes a container that does not run. Marked dead first, so that a removal that is interrupted is finished at the
 * next opening of the data root; its layer next, its anonymous volumes, its directory last.
 */
export async function bury(parts: ContainerParts, container: Container, volumes: boolean): Promise<void> {
  const { store, layers } = parts;
  const { stored } = container;
  const mark = volumes ? { RemoveVolumes: true } : {};
  const dead = { ...container, stored: { ...stored, ...mark, State: { ...stored.State, Dead: true } } };
  // On a full disk there is no room for the mark, and removing is what makes room.
  await store.update(dead).catch((error) => {
    if (!isErrno(error, "ENOSPC", "EDQUOT")) throw error;
  });
  try {
    await layers.rw.remove(stored.ID);
  } catch (error) {
    // In use, and so as before: it is not dead after all.
    if (error instanceof Conflict) await store.update(container);
    throw error;
  }
  if (volumes) await removeAnonymousVolumes(parts, container);
  await store.delete(stored.ID);
  emitContainer(parts, container, "destroy");
}

async function removeAnonymousVolumes({ store, volumes, events }: ContainerParts, { stored }: Container) {
  const mounts = Object.values(stored.MountPoints).filter(({ Type, Spec }) => Type === "volume" && !Spec?.Source);
  for (const { Name } of mounts) {
    if (Name === "" || store.hasVolume(Name, stored.ID) || volumes.claims(Name) > 0) continue;
    await volumes.delete(Name);
    events.emit("volume", "destroy", Name, { driver: "local" });
  }
}

/** Removes what a crash left half removed. @param report told one line each */
export async function finishRemovals(parts: ContainerParts, report: (line: string) => void): Promise<void> {
  const { store } = parts;
  for (const container of store.list()) {
    const { State: state, ID, Name, RemoveVolumes = false } = container.stored;
    if (state.Running || !(state.Dead || state.RemovalInProgress)) continue;
    const who = `container ${ID} (${Name.slice(1)})`;
    await bury(parts, container, RemoveVolumes).then(
      () => report(`finished the removal of ${who}`),
      (error) => report(`the removal of ${who}, once begun, cannot be finished: ${messageOf(error)}`),
    );
  }
}

/** @see Containers.prune */
export async function pruneContainers(parts: ContainerParts, filters: Filters = {}): Promise<ContainersPruned> {
  checkFilters(filters, ["label", "label!", "until"]);
  const { store, layers, turns, events } = parts;
  const [until, ...more] = (filters.until ?? []).map(parseTimestamp);
  if (more.length > 0) throw new InvalidParameter("more than one until filter specified");
  const before = ({ stored }: Container) => until === undefined || (parseRFC3339(stored.Created) ?? 0n) < until;
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const { stored } of store.list().filter(before)) {
    if (stored.State.Running || !prunableByLabels(filters, stored.Config.Labels)) continue;
    await turns.alone(stored.ID, async () => {
      const container = store.byID(stored.ID);
      if (!container || container.stored.State.Running) return;
      const size = await layers.rw.size(stored.ID).catch(ifMissing);
      if (!(await buried(parts, container))) return;
      reclaimed += size;
      deleted.push(stored.ID);
    });
  }
  events.emit("container", "prune", "", { reclaimed: String(reclaimed) });
  return { ContainersDeleted: deleted, SpaceReclaimed: reclaimed };
}

/** A container that is in use is passed over. */
async function buried(parts: ContainerParts, container: Container): Promise<boolean> {
  try {
    await bury(parts, container, false);
    return true;
  } catch (error) {
    if (error instanceof Conflict) return false;
    throw error;
  }
}

function ifMissing(error: unknown): number {
  if (isErrno(error, "ENOENT")) return 0;
  throw error;
}
