import type { PathChange } from "../driver.js";
import { differences } from "./differences.js";
import { paced } from "./paced.js";

/** The differences of trees as `docker diff` lists them. @param overlay as `differences` takes it */
export function changedPaths(
  upper: string,
  lowers: readonly string[],
  overlay?: string,
): AsyncGenerator<PathChange, void> {
  return paced(pathChanges(upper, lowers, overlay));
}

function* pathChanges(upper: string, lowers: readonly string[], overlay?: string): Generator<PathChange, void> {
  for (const { kind, path } of differences(upper, lowers, overlay)) yield { kind, path: `/${path}` };
}
