import type { Exit } from "../../runtime/index.js";
import { messageOf, nowNs, parseRFC3339 } from "../../spec/index.js";
import { type ContainerParts, emitContainer } from "../container/container-parts.js";
import type { Container } from "../container/container-store.js";
import { bury } from "../container/remove.js";
import { release } from "./release.js";
import { run } from "./start.js";
import { type EndOfProcess, restarting, resultOf, stopped, withState, withStored } from "./states.js";

/**
 * What follows when a container's process has ended: its new state, told to all who wait; everything it had is given
 * back; it is removed, or started again later. At the end the supervisor may forget the exit.
 */
export async function processEnded(parts: ContainerParts, exit: Exit): Promise<void> {
  const { store, lives, supervisor } = parts;
  await lives.turn(exit.id, async () => {
    const container = store.byID(exit.id);
    if (container?.stored.State.Running && !container.stored.State.Restarting) {
      const { removing, restarts } = lives.of(exit.id);
      const { RestartPolicy } = container.host;
      const delayMs = removing ? undefined : restarts.next(RestartPolicy, endedRun(container, exit));
      await settle(parts, container, exit, delayMs);
      await store.settled(exit.id);
    }
    await supervisor.acknowledge({ id: exit.id });
  });
}

/**
 * The same for one that nobody saw ending; in its turn, or before there are turns.
 *
 * @param delayMs after which it is started again; undefined: it is not
 */
export async function settle(
  parts: ContainerParts,
  container: Container,
  end: EndOfProcess,
  delayMs?: number,
): Promise<void> {
  const { store, lives } = parts;
  const { ID: id } = container.stored;
  const life = lives.of(id);
  life.health?.stop();
  life.health = undefined;
  const again = delayMs !== undefined;
  const state = withState(container, again ? restarting(end) : stopped(end));
  const count = container.stored.RestartCount + (again ? 1 : 0);
  const after = withStored(withHealthStopped(state), { RestartCount: count });
  const goes = !again && after.host.AutoRemove && !life.removing;
  if (goes) store.keep(after);
  else store.note(after);
  const result = resultOf(after.stored.State);
  life.tell("exit", result);
  if (end.oomKilled) emitContainer(parts, after, "oom");
  emitContainer(parts, after, "die", { exitCode: String(end.exitCode) });
  const left = { ...after, stored: await release(parts, after) };
  if (again) later(parts, id, delayMs);
  if (goes) await bury(parts, left, true);
  else store.note(left);
}

function endedRun({ stored }: Container, { exitCode, atNs = nowNs() }: EndOfProcess) {
  const startedNs = parseRFC3339(stored.State.StartedAt) ?? atNs;
  return { exitCode, ranMs: Number((atNs - startedNs) / 1_000_000n), manually: stored.HasBeenManuallyStopped };
}

/** One that does not run is not healthy. */
function withHealthStopped(container: Container): Container {
  const { Health } = container.stored.State;
  return Health ? withState(container, { Health: { ...Health, Status: "unhealthy" } }) : container;
}

/** Starts a container again after a while, unless somebody ends its waiting. */
export function later(parts: ContainerParts, id: string, delayMs: number): void {
  const life = parts.lives.of(id);
  clearTimeout(life.restartTimer);
  life.restartTimer = setTimeout(() => {
    startAgain(parts, id).catch((error) =>
      parts.report(`container ${id} cannot be started again: ${messageOf(error)}`),
    );
  }, delayMs);
  life.restartTimer.unref();
}

async function startAgain(parts: ContainerParts, id: string): Promise<void> {
  const { store, lives } = parts;
  await lives.turn(id, async () => {
    const container = store.byID(id);
    // Who removes it ends it.
    if (!container?.stored.State.Restarting || lives.of(id).removing) return;
    try {
      await run(parts, container, { anew: false });
    } catch (error) {
      const left = store.byID(id);
      if (left) lives.of(id).tell("exit", resultOf(left.stored.State));
      throw error;
    }
  });
}
