import { constants } from "node:os";
import { resumeContainer } from "../../runtime/index.js";
import { Conflict, messageOf, NotFound } from "../../spec/index.js";
import { type ContainerParts, emitContainer } from "../container/container-parts.js";
import type { Container } from "../container/container-store.js";
import { signalNumber, stopSignal } from "./signals.js";
import { stopped, withState, withStored } from "./states.js";

const { SIGKILL } = constants.signals;

/** @see Processes.kill */
export async function killContainer(parts: ContainerParts, name: string, signal = "KILL"): Promise<void> {
  const { store } = parts;
  const number = signalNumber(signal);
  const id = idToKill(parts, name);
  const cannot = (error: Error) => new Conflict(`Cannot kill container: ${name}: ${error.message}`, { cause: error });
  if (number !== SIGKILL && number !== 0) {
    await send(parts, id, number).catch((error) => Promise.reject(error instanceof Conflict ? cannot(error) : error));
    return;
  }
  if (!store.find(id).stored.State.Running) throw cannot(notRunning(id));
  await killed(parts, id);
}

/** @throws NotFound, in dockerd's words for this request alone */
function idToKill({ store }: ContainerParts, name: string): string {
  try {
    return store.find(name).stored.ID;
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    throw new NotFound(`Cannot kill container: ${name}: ${error.message}`, { cause: error });
  }
}

export function notRunning(id: string): Conflict {
  return new Conflict(`Container ${id} is not running`);
}

/** Kills what runs, if it runs, and resolves when all it had is given back. */
export async function killed(parts: ContainerParts, id: string): Promise<void> {
  const gone = parts.lives.of(id).next("exit");
  try {
    await send(parts, id, SIGKILL);
  } catch (error) {
    if (error instanceof Conflict || error instanceof NotFound) return;
    throw error;
  }
  await gone;
  await settled(parts, id);
}

/** Resolves when what follows upon an exit that has been told is done. */
export function settled({ lives }: ContainerParts, id: string): Promise<void> {
  return lives.turn(id, async () => {});
}

/**
 * Sends a signal to a container's process. One that is meant to end it keeps it from being started again, and wakes it
 * when it is paused. Of a container that waits to be started again the signal is the end.
 *
 * @throws Conflict: it does not run; NotFound: it is gone
 */
export function send(parts: ContainerParts, id: string, signal: number): Promise<void> {
  const { store, lives, supervisor } = parts;
  return lives.turn(id, async () => {
    const before = store.byID(id);
    if (!before) throw new NotFound(`No such container: ${id}`);
    const { State: state, Config: config } = before.stored;
    if (!state.Running) throw notRunning(id);
    const life = lives.of(id);
    const ends = signal === SIGKILL || !config.StopSignal || signal === stopSignal(config.StopSignal);
    if (ends) life.restarts.cancel();
    const container = withStored(before, { HasBeenManuallyStopped: true });
    store.note(container);
    if (state.Restarting) return endRestarting(parts, container);
    try {
      await supervisor.kill({ id }, signal);
    } catch (error) {
      // It has ended already, and that is being told.
      if (!(error instanceof NotFound)) throw error;
      return;
    }
    if (ends && state.Paused) await wake(parts, id);
    emitContainer(parts, container, "kill", { signal: String(signal) });
  });
}

/** The kernel lets nothing end that is frozen. */
async function wake({ runtimePlace, report }: ContainerParts, id: string): Promise<void> {
  await resumeContainer(runtimePlace, id).catch((error) => report(`container ${id}: ${messageOf(error)}`));
}

function endRestarting({ lives, store }: ContainerParts, container: Container): void {
  const { ID, State } = container.stored;
  const life = lives.of(ID);
  clearTimeout(life.restartTimer);
  const ended = withState(container, { ...stopped({ exitCode: State.ExitCode }), FinishedAt: State.FinishedAt });
  store.note(ended);
  life.tell("exit", { StatusCode: State.ExitCode, Error: null });
}
