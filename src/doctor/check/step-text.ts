import { relative } from "node:path";
import { shortID } from "../../spec/index.js";
import type { Step } from "./finding.js";
import { settled } from "./known/name-proofs.js";

/** What a step does, in a few words; paths below the root without it. */
export function stepText(step: Step, root: string): string {
  switch (step.kind) {
    case "make-directory":
      return `make the directory ${relative(root, step.path)}`;
    case "write-file":
      return `write ${relative(root, step.path)}`;
    case "make-link":
      return `make the link ${relative(root, step.path)} to ${step.target}`;
    case "set-mode":
      return `set the mode of ${relative(root, step.path) || "the root"} to 0${step.mode.toString(8)}`;
    case "unmount":
      return `unmount ${relative(root, step.path) || "the root from itself"}`;
    case "remove-directory":
      return `remove the empty directory ${relative(root, step.path)}`;
    case "set-aside":
      return `set ${relative(root, step.path)} aside`;
    case "measure-layer":
      return `measure the layer for ${relative(root, step.path)}`;
    case "begin-layer":
      return `${step.id.endsWith("-init") ? "make the init layer" : "begin the layer"} ${step.id.replace(/^(.{12})[^-]*/, "$1")} as for a new container`;
    case "restore-names":
      return namesText(settled(step.names).names.map(({ ref }) => ref));
    case "restore-layer":
      return `bring layer ${shortID(step.chainID)} back from where its bytes can be had`;
    case "restore-image":
      return `bring the config of image ${shortID(step.id)} back from where it can be had`;
  }
}

const mostNames = 8;

function namesText(names: readonly string[]): string {
  if (names.length === 0)
    return "write a list of names without any: nothing here tells one, an archive or root by --from may";
  const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : "";
  return `bring back the names ${names.slice(0, mostNames).join(", ")}${more}`;
}
