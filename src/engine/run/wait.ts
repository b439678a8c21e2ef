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
  if (condition === "removed") return { ended: lives.of(id).next("removal", signal) };
  if (condition === "not-running" && !state.Running) return { ended: Promise.resolve(resultOf(state)) };
  return { ended: lives.of(id).next("exit", signal) };
}
