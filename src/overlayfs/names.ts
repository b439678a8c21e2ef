import type { Path } from "../spec/index.js";

/** The names on the way from the root to `path`; none for the root. */
export function namesOf(path: Path): string[] {
  return path === "" ? [] : path.split("/");
}

/** `name` inside `dir`. */
export function inside(dir: Path, name: string): Path {
  return dir === "" ? name : `${dir}/${name}`;
}
