import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const largest = 256 << 20;

/**
 * Which of these names the database of dockerd's build cache speaks of: it is of no format that is read here, but the
 * names are in it as text. Too large a one counts as speaking of all.
 */
export function readBuildCache(root: string, names: readonly string[]): Set<string> {
  const file = join(root, "buildkit", "snapshots.db");
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) return new Set();
  if (found.size > largest) return new Set(names);
  const bytes = readFileSync(file);
  return new Set(names.filter((name) => bytes.includes(name)));
}
