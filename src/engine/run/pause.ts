import { pauseContainer as freeze, resumeContainer as thaw } from "../../runtime/index.js";
import { Conflict, messageOf, Unavailable } from "../../spec/index.js";
import { type ContainerParts, emitContainer } from "../container/container-parts.js";
import type { Container } from "../container/container-store.js";
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

/** Does something to a container while its processes, if it has any that run, are frozen. */
export async function whilePaused<T>(parts: ContainerParts, id: string, run: () => Promise<T>): Promise<T> {
  const { store } = parts;
  const { Running, Paused, Restarting } = store.find(id).stored.State;
  if (!Running || Paused || Restarting) return run();
  await pauseContainer(parts, id);
  try {
    return await run();
  } finally {
    // Somebody may have thawed it, or ended it.
    if (store.byID(id)?.stored.State.Paused) await unpauseContainer(parts, id);
  }
}
