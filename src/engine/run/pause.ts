import { existsSync } from "node:fs";
import { rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pauseContainer as freeze, resumeContainer as thaw } from "../../runtime/index.js";
import { Conflict, messageOf, Unavailable } from "../../spec/index.js";
import { type ContainerParts, emitContainer } from "../container/container-parts.js";
import type { Container } from "../container/container-store.js";
import { bundleOf } from "./bundle.js";
import { isFrozen } from "./cgroups.js";
import { notRunning } from "./kill.js";
import { withState } from "./states.js";

/** @see Processes.pause */
export async function pauseContainer(parts: ContainerParts, name: string): Promise<void> {
  await inTurn(parts, name, async (container) => {
    const { ID: id, State: state } = container.stored;
    if (!state.Running) throw notRunning(id);
    if (state.Paused) throw new Conflict(`Container ${id} is already paused`);
    if (state.Restarting) {
      throw new Conflict(`Container ${id} is restarting, wait until the container is running`);
    }
    await freeze(parts.runtimePlace, id).catch((error) => {
      throw new Unavailable(`Cannot pause container ${id}: ${messageOf(error)}`, { cause: error });
    });
    await changed(parts, container, true);
  });
}

/** @see Processes.unpause */
export async function unpauseContainer(parts: ContainerParts, name: string): Promise<void> {
  await inTurn(parts, name, async (container) => {
    const { ID: id, State: state } = container.stored;
    if (!state.Paused) throw new Error(`Container ${id} is not paused`);
    await thaw(parts.runtimePlace, id).catch((error) => {
      throw new Unavailable(`Cannot unpause container ${id}: ${messageOf(error)}`, { cause: error });
    });
    await changed(parts, container, false);
  });
}

async function inTurn(parts: ContainerParts, name: string, run: (container: Container) => Promise<void>) {
  const { ID: id } = parts.store.find(name).stored;
  await parts.lives.turn(id, () => run(parts.store.find(id)));
}

async function changed(parts: ContainerParts, container: Container, Paused: boolean): Promise<void> {
  const { store, lives } = parts;
  const { ID: id } = container.stored;
  const after = withState(container, { Paused });
  store.note(after);
  lives.of(id).health?.pause(Paused);
  emitContainer(parts, after, Paused ? "pause" : "unpause");
  await store.settled(id);
}

/** Runs `run` with the container frozen, if it runs: thawed after, unless it was frozen before. */
export async function whilePaused<T>(parts: ContainerParts, id: string, run: () => Promise<T>): Promise<T> {
  const { store } = parts;
  const { Running, Paused, Restarting } = store.find(id).stored.State;
  if (!Running || Paused || Restarting) return run();
  const mark = briefPauseMark(parts, id);
  await writeFile(mark, "");
  try {
    await pauseContainer(parts, id);
    try {
      return await run();
    } finally {
      // Somebody may have thawed it, or ended it.
      if (store.byID(id)?.stored.State.Paused) await unpauseContainer(parts, id);
    }
  } finally {
    await rm(mark, { force: true });
    // When it has ended meanwhile, the mark was the last in there.
    await rmdir(bundleOf(parts, id)).catch(() => {});
  }
}

/** A file that is there while a container is frozen for an operation: whoever finds it after a crash lets it go on. */
function briefPauseMark(parts: ContainerParts, id: string): string {
  return join(bundleOf(parts, id), "brief-pause");
}

/** Lets a container go on that was frozen for an operation which a crash has ended. */
export async function endBriefPause(parts: ContainerParts, id: string, pid: number): Promise<void> {
  const mark = briefPauseMark(parts, id);
  if (!existsSync(mark)) return;
  if (isFrozen(pid)) await thaw(parts.runtimePlace, id);
  await rm(mark, { force: true });
}
