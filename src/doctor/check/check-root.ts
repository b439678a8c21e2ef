import { relay } from "../../image/index.js";
import { deepCheck } from "../deep/deep-check.js";
import { deepProgress, type Progress, replaces } from "../progress.js";
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

/** How far a deep check is; last, as `aux`, what was found. */
export type CheckEvent = Progress | { readonly aux: Report };

/** Checks a root, and tells of it meanwhile; a reader who stops early stops it. */
export function checkRoot(state: RootState, options: CheckRootOptions = {}): AsyncIterable<CheckEvent> {
  const { deep = false, isLive = false, signal } = options;
  return relay<CheckEvent>(
    async (tell, stop) => {
      const found = check(state, { isLive });
      const more = deep ? await deepCheck(state, { signal: stop, ...deepProgress(tell) }) : { findings: [], notes: [] };
      const all = [...found, ...more.findings];
      const sorted = severities.flatMap((severity) => all.filter((each) => each.severity === severity));
      tell({ aux: reportOn(state, sorted, more.notes) });
    },
    { ...(signal && { signal }), replaces },
  );
}
