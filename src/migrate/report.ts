import { relay } from "../image/index.js";

/** One step of a migration, in the shape in which a pull tells its own. */
export interface Step {
  readonly id?: string;
  readonly status: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

export type Tell = (step: Step) => void;

/** How long work is told of, and stopped. */
export interface Progress {
  readonly tell: Tell;
  readonly signal: AbortSignal;
}

/** What `run` tells, as it tells it; a reader who stops early stops it. */
export function relaySteps(
  run: (tell: Tell, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): AsyncIterable<Step> {
  return relay(run, { signal, replaces: (old, next) => old.id === next.id && old.progressDetail !== undefined });
}
