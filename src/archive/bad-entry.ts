import { InvalidParameter } from "../spec/index.js";

/** Refuses an entry in one line, whatever its name contains. */
export function badEntry(name: string, why: string): InvalidParameter {
  return new InvalidParameter(`archive entry ${shown(name)}: ${why}`);
}

/** A name of an archive, quoted, with control characters escaped; the end of a very long one is left out. */
export function shown(name: string): string {
  return JSON.stringify(name.length <= 300 ? name : `${name.slice(0, 300)}…`);
}
