import { readFile, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { ensureDirectory, removeTree, syncDirectory, writeAtomic } from "../../disk/index.js";
import { encodeName, goJSON, isErrno } from "../../spec/index.js";
import type { RootState } from "../root/root-state.js";
import type { Item, Step } from "./item.js";

/** Frees one thing, in a root that nobody else works in. What is gone already is fine. */
export async function doItem(state: RootState, item: Item): Promise<void> {
  for (const step of item.steps) await doStep(state, step);
}

async function doStep(state: RootState, step: Step): Promise<void> {
  if (step.do === "untag") await untag(state.images.repositories.path, step.names);
  else if (step.do === "move") await move(state, step.from, step.to);
  else {
    assertInside(state, step.path);
    await removeTree(step.path);
    // What a crash shows again of an entry is seen as unused again; that its image is gone has to last.
    if (dirname(step.path).endsWith("content/sha256")) await syncDirectory(dirname(step.path));
  }
}

async function move(state: RootState, from: string, to: string): Promise<void> {
  assertInside(state, from);
  await ensureDirectory(dirname(to), 0o700);
  // One that was begun earlier is in the way, and goes as well.
  await removeTree(to);
  try {
    await rename(encodeName(from), encodeName(to));
  } catch (error) {
    if (isErrno(error, "EXDEV")) return await removeTree(from);
    if (isErrno(error, "ENOENT")) return;
    throw error;
  }
  await syncDirectory(dirname(from));
}

function assertInside({ root }: RootState, path: string): void {
  if (!path.startsWith(`${root}/`) || path.split("/").includes("..")) throw new Error(`${path} is not in ${root}`);
}

/** What the file has besides stays as it is. */
async function untag(path: string, names: readonly string[]): Promise<void> {
  const document = JSON.parse(await readFile(path, "utf8")) as { Repositories?: Record<string, unknown> };
  const gone = new Set(names);
  for (const [repository, references] of Object.entries(document.Repositories ?? {})) {
    const left = Object.entries(references ?? {}).filter(([name]) => !gone.has(name));
    if (left.length > 0) document.Repositories![repository] = Object.fromEntries(left);
    else delete document.Repositories![repository];
  }
  const { mode } = await stat(path);
  await writeAtomic(path, goJSON(document), { mode: mode & 0o777 });
}
