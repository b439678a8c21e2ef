import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { removeTree } from "../../disk/index.js";

/** Runs `probe` in a fresh directory inside `dir`, which is gone afterwards with all that is mounted in it. */
export async function inProbeDirectory<T>(dir: string, name: string, probe: (path: string) => Promise<T>): Promise<T> {
  const path = await mkdtemp(join(dir, name));
  try {
    return await probe(path);
  } finally {
    await removeTree(path);
  }
}
