import { relay } from "../../image/index.js";
import { deepCheck } from "../deep/deep-check.js";
import { deepProgress, type Progress, replaces } from "../progress.js";
import type { RootState } from "../root/root-state.js";
import { type Planned, type PlanOptions, planRepair } from "./plan.js";
import { type Repaired, type RepairOptions, repair } from "./repair.js";
import type { Told } from "./told.js";

/** How far a repair is, and each of its steps; last, as `aux`, what came of it. */
export type RepairEvent<Result> = Progress | { readonly told: Told } | { readonly aux: Result };

type Given<Options> = Omit<Options, "tell" | "onProgress" | "examineDeeply" | "signal"> & {
  /** Every byte of every layer, too. */
  readonly deep?: boolean | undefined;
  readonly signal?: AbortSignal;
};

/** `repair`, told of meanwhile; a reader who stops early stops it between two steps. */
export function repairRoot(root: string, options: Given<RepairOptions>): AsyncIterable<RepairEvent<Repaired>> {
  return events(options, (watched, signal, onProgress) => repair(root, { ...options, ...watched, signal, onProgress }));
}

/** `planRepair`, likewise. */
export function planRoot(root: string, options: Given<PlanOptions>): AsyncIterable<RepairEvent<Planned>> {
  return events(options, (watched, signal) => planRepair(root, { ...options, ...watched, signal }));
}

function events<Result>(
  { deep = false, signal }: { readonly deep?: boolean | undefined; readonly signal?: AbortSignal },
  run: (
    watched: Pick<RepairOptions, "tell" | "examineDeeply">,
    signal: AbortSignal,
    onProgress: (progress: Progress) => void,
  ) => Promise<Result>,
): AsyncIterable<RepairEvent<Result>> {
  return relay<RepairEvent<Result>>(
    async (tell, stop) => {
      const examineDeeply = deep
        ? (state: RootState) => deepCheck(state, { signal: stop, ...deepProgress(tell) })
        : undefined;
      const watched = { examineDeeply, tell: async (told: Told) => tell({ told }) };
      tell({ aux: await run(watched, stop, tell) });
    },
    { ...(signal && { signal }), replaces },
  );
}
