import { mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { removeTree } from "../../disk/index.js";

/**
 * Runs `probe` in a fresh directory inside `dir`, which is gone afterwards. The probe unmounts what it has mounted;
 * what an earlier one left, killed in the middle, goes first.
 */
export async function inProbeDirectory<T>(dir: string, name: string, probe: (path: string) => Promise<T>): Promise<T> {
  const isLeft = (entry: string) => entry.startsWith(name) && /^\w{6}$/.test(entry.slice(name.length));
  for (const entry of await readdir(dir)) if (isLeft(entry)) await removeTree(join(dir, entry));
  const path = await mkdtemp(join(dir, name));
  try {
    return await probe(path);
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}
