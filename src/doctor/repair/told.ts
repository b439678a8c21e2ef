import type { Finding, Step } from "../check/finding.js";
import { stepText } from "../check/step-text.js";

/** What became of one step. */
export interface Told {
  readonly finding: Finding;
  readonly step: Step;
  readonly outcome: "done" | "would";
  /** In one line: what was or would be done. */
  readonly text: string;
}

/** @param how for what is restored: of what, and how much */
export function toldText(step: Step, root: string, how = ""): string {
  const rest = how === "" ? "" : `: ${how}`;
  if (step.kind === "restore-layer") return `restore layer ${step.chainID}${rest}`;
  if (step.kind === "restore-image") return `restore the config of image ${step.id}${rest}`;
  return stepText(step, root);
}
