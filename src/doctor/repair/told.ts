import { shortID } from "../../spec/index.js";
import type { Finding, Step } from "../check/finding.js";
import type { NameProof } from "../check/known/name-proofs.js";
import { stepText } from "../check/step-text.js";

/** What became of one step. */
export interface Told {
  readonly finding: Finding;
  readonly step: Step;
  readonly outcome: "done" | "would";
  /** In one line: what was or would be done. */
  readonly text: string;
  /** Of `restore-names`, which are told one by one. */
  readonly name?: NameProof;
}

/** @param how for what is restored: of what, and how much */
export function toldText(step: Step, root: string, how = ""): string {
  const rest = how === "" ? "" : `: ${how}`;
  if (step.kind === "restore-layer") return `restore layer ${step.chainID}${rest}`;
  if (step.kind === "restore-image") return `restore the config of image ${step.id}${rest}`;
  return stepText(step, root);
}

/** Each name for itself. */
export function toldNames(finding: Finding, names: readonly NameProof[], outcome: Told["outcome"]): Told[] {
  const step = { kind: "restore-names", path: finding.path, names } as const;
  if (names.length === 0) return [{ finding, step, outcome, text: "write a list of names without any" }];
  return names.map((name) => {
    const text = `call image ${shortID(name.id)} ${name.ref} again, ${name.from}`;
    return { finding, step, outcome, text, name };
  });
}
