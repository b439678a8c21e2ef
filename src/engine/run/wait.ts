import type { WaitResult } from "../api-process.js";
import type { ContainerParts } from "../container/container-parts.js";
import type { WaitCondition } from "../processes.js";
import { resultOf } from "./states.js";

/** @see Processes.wait */
export function waitFor(
  { store, lives }: ContainerParts,
  name: string,
  condition: WaitCondition,
  signal: AbortSignal | undefined,
): { ended: Promise<WaitResult> } {
  const { ID: id, State: state } = store.find(name).stored;
  if (condition === "not-running" && !state.Running) return { ended: Promise.resolve(resultOf(state)) };
  const life = lives.of(id);
  const ended = condition === "removed" ? life.next("removal", signal).then(withoutError) : life.next("exit", signal);
  // Who has gone away does not look at it any more.
  ended.catch(() => {});
  return { ended };
}

/** Of a container that is gone dockerd does not say why it did not start: the docker command would say so twice. */
function withoutError({ StatusCode }: WaitResult): WaitResult {
  return { StatusCode, Error: null };
}
