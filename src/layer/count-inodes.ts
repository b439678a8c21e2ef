import {
  type ChangeHead,
  type Directory,
  FileSystemError,
  type Inode,
  merge,
  type Tree,
  treeOf,
} from "../overlayfs/index.js";
import { InvalidParameter, messageOf } from "../spec/index.js";
import type { InodesJob } from "./jobs.js";
import type { LayerInodes } from "./layer.js";
import { parseSplit } from "./parse-split.js";

/**
 * How many inodes the layers of a chain take in the home of each driver, by their tar-splits alone. For worker threads.
 *
 * @returns in the order of `job.splits`
 * @throws InvalidParameter: a layer has entries below its own symlinks, or hard links to files of those below
 */
export async function countInodes({ splits }: InodesJob): Promise<LayerInodes[]> {
  const counts: LayerInodes[] = [];
  let merged: Tree | undefined;
  for (const split of splits) {
    const layer = ownTree(await changesIn(split));
    merged = merge(merged === undefined ? [layer] : [merged, layer]);
    const own = census(layer);
    const all = census(merged);
    const isUpon = counts.length > 0;
    counts.push({
      files: own.files,
      // The layer's directory, `diff`, `link` and what it leads to; `work`, `lower`, and `committed` of the one below.
      overlay2: own.files + own.others + (isUpon ? 7 : 4),
      // The layer's directory and `root`; `parent`. Files of the layers below have their inodes there.
      overlay: own.files + all.others + (isUpon ? 3 : 2),
    });
  }
  return counts;
}

/** The layer's changes; of its files only headers are there to be read. */
async function changesIn(split: string): Promise<ChangeHead[]> {
  const changes: ChangeHead[] = [];
  await parseSplit(split, (change) => changes.push(change));
  return changes;
}

function ownTree(changes: readonly ChangeHead[]): Tree {
  try {
    return treeOf(changes);
  } catch (error) {
    if (error instanceof FileSystemError) throw new InvalidParameter(messageOf(error), { cause: error });
    throw error;
  }
}

/** Inodes of a tree, its root left out; names of one file are one. */
function census(tree: Tree): { readonly files: number; readonly others: number } {
  const seen = new Set<Inode>();
  const visit = (directory: Directory): void => {
    for (const inode of directory.entries.values()) {
      seen.add(inode);
      if (inode.kind === "directory") visit(inode);
    }
  };
  visit(tree);
  const files = [...seen].filter(({ kind }) => kind === "file").length;
  return { files, others: seen.size - files };
}
