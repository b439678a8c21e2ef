import { type BigIntStats, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** The paths in which two trees differ as Docker's comparison lists them, sorted: plain and slow, to judge by. */
export function listedByComparing(lower: string, upper: string): string[] {
  const lines: string[] = [];
  const compare = (at: string, isLow: boolean): boolean => {
    const names = new Set([...namesIn(join(upper, at)), ...(isLow ? namesIn(join(lower, at)) : [])]);
    const before = lines.length;
    for (const name of names) {
      const path = `${at}/${name}`;
      const [low, up] = [isLow ? statOf(join(lower, path)) : undefined, statOf(join(upper, path))];
      // The kernel lists whiteouts in a directory that one layer alone has, and then does not find them.
      if (!up && low) lines.push(`D ${path}`);
      else if (up) {
        const inside = up.isDirectory() && compare(path, low?.isDirectory() ?? false);
        if (!low) lines.push(`A ${path}`);
        else if (inside || !looksSame(low, up)) lines.push(`C ${path}`);
      }
    }
    return lines.length > before;
  };
  compare("", true);
  return lines.sort();
}

function looksSame(a: BigIntStats, b: BigIntStats): boolean {
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid || a.rdev !== b.rdev) return false;
  return a.isDirectory() || (a.size === b.size && a.mtimeNs === b.mtimeNs);
}

function namesIn(dir: string): string[] {
  return readdirSync(dir);
}

function statOf(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}
