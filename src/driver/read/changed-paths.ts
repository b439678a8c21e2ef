import type { PathChange } from "../driver.js";
import { type Difference, differences, type Pair } from "./differences.js";
import { paced } from "./paced.js";

/** The differences of trees as `docker diff` lists them. */
export function changedPaths(root: Pair): AsyncGenerator<PathChange, void> {
  return paced(pathChanges(differences(root)));
}

function* pathChanges(found: Iterable<Difference>): Generator<PathChange, void> {
  for (const { kind, path } of found) yield { kind, path: `/${path}` };
}
