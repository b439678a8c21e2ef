import { mkdtemp, open, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Layer } from "../layer/index.js";
import { isErrno } from "../spec/index.js";
import { ficlone } from "../sys/index.js";
import { leftBehind, obstaclesFor } from "./obstacles.js";
import type { Source } from "./root.js";

/** What a migration would do. Bytes and inodes are what it needs until the old driver's directories are deleted. */
export interface Plan {
  readonly from: string;
  readonly to: string;
  readonly images: number;
  readonly layers: number;
  readonly containers: number;
  /** Of file content that gets further names, or shares its blocks. */
  readonly bytesLinked: number;
  readonly bytesCopied: number;
  readonly inodes: number;
  readonly bytesFree: number;
  /** Undefined: the file system makes as many as it has room for. */
  readonly inodesFree?: number;
  /** One line each: what keeps it from being done. */
  readonly obstacles: readonly string[];
  /** One line each: what stays behind. */
  readonly notes: readonly string[];
}

/** An inode of a directory, with its first block: nearly all that is made anew are directories. */
const bytesAnInode = 4096;

/**
 * Looks at everything and changes nothing.
 *
 * @param begun a part is done already: how much room the rest needs is not known
 */
export async function planFor(source: Source, to: string, begun = false): Promise<Plan> {
  const { root, name: from, layers, images, containers } = source;
  const all = layers.list();
  const writable = await sizesOf(source);
  const linked = sum(all.map(({ diffSize }) => diffSize)) + sum(writable.map(({ size }) => size));
  const copied = to === "vfs" && !(await canShare(root)) ? copiedByTrees(source, all, writable) : 0;
  const free = await statfs(root);
  const inodes = await inodesFor(source, to);
  const bytesFree = free.bavail * free.bsize;
  const plan = {
    ...{ from, to, images: images.list().length, layers: all.length, containers: containers.length },
    ...{ bytesLinked: linked, bytesCopied: copied, inodes, bytesFree },
    ...(free.files > 0 && { inodesFree: free.ffree }),
  };
  return {
    ...plan,
    obstacles: [...obstaclesFor(source, to), ...(begun ? [] : tooSmall(plan))],
    notes: leftBehind(source, to),
  };
}

function tooSmall({ bytesCopied, bytesFree, inodes, inodesFree = inodes }: Omit<Plan, "obstacles" | "notes">) {
  const needed = bytesCopied + inodes * bytesAnInode;
  const bytes = `the disk has ${bytesFree} bytes free, and about ${needed} are needed`;
  const count = `the disk has ${inodesFree} inodes free, and about ${inodes} are needed`;
  return [...(needed > bytesFree ? [bytes] : []), ...(inodes > inodesFree ? [count] : [])];
}

interface Writable {
  readonly size: number;
  readonly below: number;
}

async function sizesOf({ layers, driver }: Source): Promise<Writable[]> {
  const sizes: Writable[] = [];
  for (const { mountID, parent } of layers.rw.list()) {
    const size = await driver.diffSize(mountID).catch(() => 0);
    sizes.push({ size, below: parent ? layers.get(parent).size : 0 });
  }
  return sizes;
}

/** Each layer of vfs is a tree with all that is below it. */
function copiedByTrees({ layers }: Source, all: readonly Layer[], writable: readonly Writable[]): number {
  const below = all.map(({ parent }) => (parent ? layers.get(parent).size : 0));
  return sum(below) + sum(writable.map(({ size, below }) => 2 * below + size));
}

/** What is made anew: directories, symlinks, devices. Of a container about as much as of its init layer. */
async function inodesFor({ layers }: Source, to: string): Promise<number> {
  let inodes = 64 * layers.rw.list().length;
  for (const { chainID, parent } of layers.list()) {
    const chain = await layers.inodes(chainID).catch(() => undefined);
    const below = parent && (await layers.inodes(parent).catch(() => undefined));
    if (!chain) continue;
    const own = (of: "overlay2" | "overlay" | "files") => chain[of] - (below?.[of] ?? 0);
    if (to === "overlay2") inodes += own("overlay2") - own("files");
    else inodes += own("overlay") - own("files") + (to === "vfs" ? chain.files : 0);
  }
  return inodes;
}

/** Whether files of this file system can share their blocks; two small ones are made for that, and go again. */
async function canShare(root: string): Promise<boolean> {
  const dir = await mkdtemp(join(root, ".layerkit-"));
  try {
    await writeFile(join(dir, "a"), "a");
    const from = await open(join(dir, "a"));
    const to = await open(join(dir, "b"), "w");
    try {
      ficlone(from.fd, to.fd);
      return true;
    } catch (error) {
      if (isErrno(error, "EOPNOTSUPP", "ENOTSUP", "EXDEV", "EINVAL", "ENOTTY", "ENOSYS")) return false;
      throw error;
    } finally {
      await from.close();
      await to.close();
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
