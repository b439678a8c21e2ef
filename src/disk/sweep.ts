import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isTemporary } from "./temporary.js";

/**
 * Deletes the half-written files that processes killed in `writeAtomic` left in `dir`. Only for who owns `dir`: a
 * write of another that is under way would fail. A missing directory has none.
 *
 * @returns names of the files deleted
 */
export async function sweepTemporary(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(noneIfMissing);
  const left = entries.filter((entry) => entry.isFile() && isTemporary(entry.name)).map(({ name }) => name);
  for (const name of left) await rm(join(dir, name), { force: true });
  return left;
}

function noneIfMissing(error: NodeJS.ErrnoException): [] {
  if (error.code === "ENOENT") return [];
  throw error;
}
