import { relay } from "../../image/index.js";
import { type ChainID, shortID } from "../../spec/index.js";
import { deepCheck } from "../deep/deep-check.js";
import type { RootState } from "../root/root-state.js";
import { check } from "./check.js";
import { severities } from "./finding.js";
import { type Report, reportOn } from "./report.js";

export interface CheckRootOptions {
  /** Every byte of every layer, too. */
  readonly deep?: boolean;
  /** As for `check`. */
  readonly isLive?: boolean;
  readonly signal?: AbortSignal;
}

/** How far a deep check is, in the shape in which a pull tells its own; last, as `aux`, what was found. */
export type CheckEvent = CheckProgress | { readonly aux: Report };

export interface CheckProgress {
  readonly id: string;
  readonly status: string;
  readonly progressDetail?: { readonly current: number; readonly total: number };
}

/** Checks a root, and tells of it meanwhile; a reader who stops early stops it. */
export function checkRoot(state: RootState, options: CheckRootOptions = {}): AsyncIterable<CheckEvent> {
  const { deep = false, isLive = false, signal } = options;
  return relay<CheckEvent>(
    async (tell, stop) => {
      const found = check(state, { isLive });
      const more = deep ? await deepCheck(state, { signal: stop, ...progress(tell) }) : { findings: [], notes: [] };
      const all = [...found, ...more.findings];
      const sorted = severities.flatMap((severity) => all.filter((each) => each.severity === severity));
      tell({ aux: reportOn(state, sorted, more.notes) });
    },
    { ...(signal && { signal }), replaces: (old, next) => isProgress(old) && isProgress(next) && old.id === next.id },
  );
}

function isProgress(event: CheckEvent): event is CheckProgress {
  return "id" in event && event.progressDetail !== undefined;
}

function progress(tell: (event: CheckEvent) => void) {
  const idOf = (layer: ChainID) => `layer ${shortID(layer)}`;
  return {
    onBytes: (layer: ChainID, current: number, total: number) =>
      tell({ id: idOf(layer), status: "Comparing", progressDetail: { current: Math.min(current, total), total } }),
    onLayer: (layer: ChainID, isWhole: boolean) =>
      tell({ id: idOf(layer), status: isWhole ? "as it should be" : "differs" }),
  };
}
