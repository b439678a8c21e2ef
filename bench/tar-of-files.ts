import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { output } from "../test/oracle/run.js";

/** Writes a tar of files of one size. @returns `tar` */
export async function tarOfFiles(
  tar: string,
  count: number,
  path: (i: number) => string,
  size: number,
): Promise<string> {
  const tree = await mkdtemp(`${tar}-`);
  for (let i = 0; i < count; i++) {
    const file = join(tree, path(i));
    await mkdir(join(file, ".."), { recursive: true });
    await writeFile(file, Buffer.alloc(size, `${i} some text that repeats `));
  }
  await output("tar", ["-C", tree, "-cf", tar, "."]);
  await rm(tree, { recursive: true });
  return tar;
}
