import { setTimeout as delay } from "node:timers/promises";
import { Conflict, NotFound } from "../../spec/index.js";
import { type ContainerParts, emitContainer } from "../container/container-parts.js";
import type { StopOptions } from "../processes.js";
import { killed, send, settled } from "./kill.js";
import { stopSignal } from "./signals.js";
import { startContainer } from "./start.js";

const usualPatienceS = 10;
/** What a timer can count. */
const longestMs = 2 ** 31 - 1;

/** @see Processes.stop */
export async function stopContainer(parts: ContainerParts, name: string, options: StopOptions = {}): Promise<boolean> {
  const { store, lives } = parts;
  const { ID: id, Config: config, State: state } = store.find(name).stored;
  if (!state.Running) return false;
  const signal = stopSignal(options.signal || config.StopSignal);
  const patienceS = options.timeoutS ?? config.StopTimeout ?? usualPatienceS;
  const waiting = new AbortController();
  const exit = lives
    .of(id)
    .next("exit", waiting.signal)
    .then(
      () => true,
      () => false,
    );
  try {
    await send(parts, id, signal);
    const late = patienceS < 0 ? [] : [delay(Math.min(patienceS * 1000, longestMs), false, { signal: waiting.signal })];
    if (await Promise.race([exit, ...late])) await settled(parts, id);
    else await killed(parts, id);
  } catch (error) {
    // It has ended by itself meanwhile.
    if (!(error instanceof Conflict || error instanceof NotFound)) throw error;
  } finally {
    waiting.abort();
  }
  const left = store.byID(id);
  if (left) emitContainer(parts, left, "stop");
  return true;
}

/** @see Processes.restart */
export async function restartContainer(parts: ContainerParts, name: string, options?: StopOptions): Promise<void> {
  const { store } = parts;
  const { ID: id } = store.find(name).stored;
  await stopContainer(parts, id, options);
  await startContainer(parts, id);
  emitContainer(parts, store.find(id), "restart");
}
