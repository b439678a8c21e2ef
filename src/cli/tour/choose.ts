import { isUtf8 } from "node:buffer";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { statOf, walk } from "./disk.js";

/** Paths of the image that the walk-through reads, changes and deletes; absent where the image has no such file. */
export interface Chosen {
  readonly read?: string;
  readonly changed?: string;
  readonly deleted?: string;
}

const directories = ["etc", "usr", "opt", "srv", "home", "bin", ""];

/** Three small text files of any image, found without following a symlink. */
export async function choosePaths(merged: string, initPaths: ReadonlySet<string>): Promise<Chosen> {
  const found: string[] = [];
  for (const directory of directories) {
    if (found.length === 3 || !(await statOf(join(merged, directory)))?.isDirectory()) continue;
    for await (const path of textFiles(merged, directory)) {
      if (!found.includes(path) && !initPaths.has(path)) found.push(path);
      if (found.length === 3) break;
    }
  }
  const [read, changed = read, deleted = read] = found;
  return read === undefined ? {} : { read, changed: changed as string, deleted: deleted as string };
}

async function* textFiles(merged: string, below: string): AsyncGenerator<string> {
  for await (const { path, stat } of walk(merged, below)) {
    if (/^(dev|proc|sys)\//.test(path) || !path.isWellFormed()) continue;
    if (!stat.isFile() || stat.nlink !== 1 || stat.size === 0 || stat.size > 65_536) continue;
    const content = await readFile(join(merged, path));
    if (isUtf8(content) && !content.includes(0)) yield path;
  }
}
