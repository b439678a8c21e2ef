import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { find } from "./programs.js";
import { output } from "./run.js";

/** A directory of its own for a test; disposing removes it. */
export interface Scratch extends AsyncDisposable {
  readonly path: string;
}

/** @param parent where it is made; a tmpfs for speed, the system's temporary directory otherwise */
export async function scratch(parent = tmpdir()): Promise<Scratch> {
  const path = await mkdtemp(join(parent, "layerkit-test-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/**
 * A file system of its own in a loop-mounted file in memory: steady times, and a disk that can be full.
 *
 * @param size as truncate(1) takes it: `2G`
 * @param options `touched`: all its memory is there from the start, for who measures
 */
export async function loopDisk(
  type: "xfs" | "ext4",
  size: string,
  mkfsOptions: readonly string[] = [],
  { touched = false }: { readonly touched?: boolean } = {},
): Promise<Scratch> {
  const directory = await mkdtemp(join(find("mount") ? "/dev/shm" : tmpdir(), "layerkit-disk-"));
  const [file, path] = [join(directory, "image"), join(directory, "root")];
  const dispose = async () => {
    await output("umount", ["--lazy", path]).catch(() => {});
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await output("truncate", ["-s", size, file]);
    if (touched) await output("shred", ["--iterations=0", "--zero", file]);
    await output(`mkfs.${type}`, ["-q", ...mkfsOptions, file]);
    await output("mkdir", [path]);
    await output("mount", ["-o", touched ? "loop" : "loop,discard", file, path]);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { path, [Symbol.asyncDispose]: dispose };
}
