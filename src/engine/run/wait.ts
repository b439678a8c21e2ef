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
  const ended = lives.of(id).next(condition === "removed" ? "removal" : "exit", signal);
  // Who has gone away does not look at it any more.
  ended.catch(() => {});
  return { ended };
}
