import type { Finding, Step } from "../check/finding.js";

/**
 * What is mended before what: metadata that other files prove, then configs of images, which say what layers there are,
 * then layers, and last what nobody needs, as far as that is certain by then.
 */
export const stages = ["metadata", "images", "layers", "leftovers"] as const;
export type Stage = (typeof stages)[number];

/** @param all what else is found at the same time @returns undefined: it is left alone */
export function stageOf(finding: Finding, all: readonly Finding[]): Stage | undefined {
  const steps = stepsOf(finding);
  if (steps.length === 0) return undefined;
  if (steps.some(({ kind }) => kind === "restore-layer" || kind === "begin-layer")) return "layers";
  if (steps.some(({ kind }) => kind === "restore-image")) return "images";
  const moves = steps.some(({ kind }) => kind === "set-aside");
  if (finding.severity === "damage" || !moves) return "metadata";
  // Who misses something may need just that.
  const isSure = all.every(({ severity }) => severity !== "damage");
  return isSure || !ofLayers.has(finding.kind) ? "leftovers" : undefined;
}

const ofLayers = new Set(["layer-unused", "directory-orphan"]);

/**
 * The steps of a finding that are done: a layer or config that is restored takes the place of what is there, which is
 * set aside then and not before.
 */
export function stepsOf({ remedy }: Finding): readonly Step[] {
  const restores = remedy.filter((step) => step.kind === "restore-layer" || step.kind === "restore-image");
  return restores.length > 0 ? remedy.filter((step) => step.kind !== "set-aside") : remedy;
}
