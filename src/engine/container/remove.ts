import { Conflict, InvalidParameter, isErrno, messageOf, parseRFC3339 } from "../../spec/index.js";
import type { ContainersPruned } from "../api-container.js";
import type { Filters } from "../api-system.js";
import type { ContainerRemoveOptions } from "../containers.js";
import { checkFilters, prunableByLabels } from "../filters.js";
import { killed } from "../run/kill.js";
import { parseTimestamp } from "../timestamp.js";
import { type ContainerParts, emitContainer } from "./container-parts.js";
import type { Container } from "./container-store.js";

/** @see Containers.remove */
export async function removeContainer(
  parts: ContainerParts,
  name: string,
  { volumes = false, link = false, force = false }: ContainerRemoveOptions = {},
): Promise<void> {
  const { store, lives } = parts;
  if (link) throw new Conflict("Conflict, cannot remove the default link name of the container");
  const container = store.find(name);
  const { ID: id } = container.stored;
  const life = lives.of(id);
  if (life.removing) throw new Conflict(`removal of container ${name} is already in progress`);
  if (!force) refuseIfRunning(container);
  else refuseIfForeign(parts, container);
  life.removing = true;
  try {
    const isRunning = () => store.byID(id)?.stored.State.Running ?? false;
    for (let done = false; !done; ) {
      while (force && isRunning()) await killed(parts, id);
      done = await lives.turn(id, async () => {
        const left = store.byID(id);
        // One that was being started has come to run only now.
        if (force && isRunning()) return false;
        if (!left) return true;
        refuseIfRunning(left);
        await bury(parts, left, volumes);
        return true;
      });
    }
  } finally {
    life.removing = false;
  }
}

function refuseIfRunning({ stored }: Container): void {
  const { Running, Paused } = stored.State;
  if (!Running) return;
  const [state, how] = Paused ? ["paused", "Unpause and then stop"] : ["running", "Stop"];
  throw new Conflict(
    `You cannot remove a ${state} container ${stored.ID}. ${how} the container before attempting removal or force remove`,
  );
}

function refuseIfForeign({ lives }: ContainerParts, { stored }: Container): void {
  const { Running, Pid, Restarting } = stored.State;
  if (!Running || Restarting || lives.of(stored.ID).held) return;
  throw new Conflict(`container ${stored.ID} is run by another engine (process ${Pid}): stop it there first`);
}

/**
 * Removes a container that does not run: its anonymous volumes, its directory, then its layer. One that nobody knows
 * any more has no layer that is needed: the next opening of the data root removes what a crash has left of it. Volumes
 * are noted first, so that a removal which has come to them is finished then.
 *
 * @throws Conflict: it is in use, and as before
 */
export async function bury(parts: ContainerParts, container: Container, volumes: boolean): Promise<void> {
  const { store, layers, turns, lives, execs, supervisor, report } = parts;
  const { ID: id, State: state } = container.stored;
  // Who reads or writes the tree comes to its end first.
  await turns.alone(id, async () => {
    layers.rw.assertUnused(id);
    if (volumes) await removeAnonymousVolumes(parts, container);
    await store.delete(id);
    await layers.rw.remove(id).catch((error) => {
      const later = "the next opening of the data root tries again";
      report(`the writable layer of container ${id} cannot be removed, ${later}: ${messageOf(error)}`);
    });
  });
  emitContainer(parts, container, "destroy");
  lives.of(id).tell("removal", { StatusCode: state.ExitCode, Error: null });
  lives.forget(id);
  execs.forget(id);
  await supervisor.abandon({ id }).catch((error) => report(messageOf(error)));
}

async function removeAnonymousVolumes({ store, volumes, events }: ContainerParts, container: Container): Promise<void> {
  const { stored } = container;
  const mounts = Object.values(stored.MountPoints).filter(({ Type, Spec }) => Type === "volume" && !Spec?.Source);
  const names = mounts.map(({ Name }) => Name);
  const isOurs = (name: string) => name !== "" && !store.hasVolume(name, stored.ID) && volumes.claims(name) === 0;
  const going = names.filter(isOurs);
  if (going.length === 0) return;
  const dead = { ...container, stored: { ...stored, RemoveVolumes: true, State: { ...stored.State, Dead: true } } };
  // On a full disk there is no room for the mark, and removing is what makes room.
  await store.update(dead).catch((error) => {
    if (!isErrno(error, "ENOSPC", "EDQUOT")) throw error;
  });
  for (const name of going) {
    await volumes.delete(name);
    events.emit("volume", "destroy", name, { driver: "local" });
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
  const { store, layers, lives, events } = parts;
  const [until, ...more] = (filters.until ?? []).map(parseTimestamp);
  if (more.length > 0) throw new InvalidParameter("more than one until filter specified");
  const before = ({ stored }: Container) => until === undefined || (parseRFC3339(stored.Created) ?? 0n) < until;
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const { stored } of store.list().filter(before)) {
    if (stored.State.Running || !prunableByLabels(filters, stored.Config.Labels)) continue;
    await lives.turn(stored.ID, async () => {
      const container = store.byID(stored.ID);
      if (!container || container.stored.State.Running || lives.of(stored.ID).removing) return;
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
