import { relative } from "node:path";
import type { Finding, Step } from "../check/finding.js";
import type { RootState } from "../root/root-state.js";

/** What became of one step. */
export interface Told {
  readonly finding: Finding;
  readonly step: Step;
  readonly outcome: "done" | "would";
  /** In one line: what was or would be done. */
  readonly text: string;
}

/** What a step does, in one line, paths from the data root. */
export function stepText(step: Step, { root }: Pick<RootState, "root">): string {
  const at = (path: string) => relative(root, path) || ".";
  switch (step.kind) {
    case "make-directory":
      return `make directory ${at(step.path)}`;
    case "write-file":
      return `write ${at(step.path)}`;
    case "make-link":
      return `make link ${at(step.path)} to ${step.target}`;
    case "set-mode":
      return `set mode of ${at(step.path)} to ${step.mode.toString(8)}`;
    case "unmount":
      return `unmount ${at(step.path)}`;
    case "remove-directory":
      return `remove the empty directory ${at(step.path)}`;
    case "measure-layer":
      return `measure layer ${step.chainID} for its size`;
    case "set-aside":
      return `set aside ${at(step.path)}`;
    case "restore-layer":
      return `restore layer ${step.chainID}`;
    case "restore-image":
      return `restore the config of image ${step.id}`;
  }
}
