import type { PathChange } from "../driver.js";
import { differences } from "./differences.js";
import { paced } from "./paced.js";

/** The differences of two trees as `docker diff` lists them. @param overlay as `differences` takes it */
export async function* changedPaths(
  upper: string,
  lower: string | undefined,
  overlay?: string,
): AsyncGenerator<PathChange, void> {
  for await (const { kind, path } of paced(differences(upper, lower, overlay))) yield { kind, path: `/${path}` };
}
