import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { find } from "./programs.js";
import { output } from "./run.js";
import { until } from "./until.js";

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
  return mountedDisk(touched ? "loop" : "loop,discard", async (file) => {
    await output("truncate", ["-s", size, file]);
    if (touched) await output("shred", ["--iterations=0", "--zero", file]);
    await output(`mkfs.${type}`, ["-q", ...mkfsOptions, file]);
  });
}

/**
 * An XFS with what `fill` writes to it: that is done once for all who ask for `name` in one run of the tests, and each
 * gets a copy.
 */
export async function filledDisk(name: string, size: string, fill: (path: string) => Promise<void>): Promise<Scratch> {
  const image = await filledImage(name, size, fill);
  return mountedDisk("loop,discard,nouuid", (file) => output("cp", ["--sparse=always", image, file]));
}

async function filledImage(name: string, size: string, fill: (path: string) => Promise<void>): Promise<string> {
  // Of the process that started this one for some of the files, and others for the others.
  const directory = join(tmpdir(), `layerkit-filled-${process.ppid}-${name}`);
  const image = join(directory, "image");
  const isFirst = await mkdir(directory).then(
    () => true,
    () => false,
  );
  if (isFirst) {
    await using disk = await loopDisk("xfs", size);
    await fill(disk.path);
    // Another mount namespace may have a copy of the mount: unmounted here, it is not yet written.
    await output("fsfreeze", ["--freeze", disk.path]);
    try {
      await output("cp", ["--sparse=always", join(dirname(disk.path), "image"), `${image}.part`]);
    } finally {
      await output("fsfreeze", ["--unfreeze", disk.path]);
    }
    await rename(`${image}.part`, image);
  } else await until(() => existsSync(image), 60_000);
  return image;
}

async function mountedDisk(options: string, make: (file: string) => Promise<unknown>): Promise<Scratch> {
  const directory = await mkdtemp(join(find("mount") ? "/dev/shm" : tmpdir(), "layerkit-disk-"));
  const [file, path] = [join(directory, "image"), join(directory, "root")];
  const dispose = async () => {
    await output("umount", ["--lazy", path]).catch(() => {});
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await make(file);
    await mkdir(path);
    await output("mount", ["-o", options, file, path]);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { path, [Symbol.asyncDispose]: dispose };
}
