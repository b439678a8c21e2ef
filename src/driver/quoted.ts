import type { Path } from "../spec/index.js";

/** A path as messages show it: quoted, its end cut off when it is very long. */
export function quoted(path: Path): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
}
