import type { SyncChange } from "../../overlayfs/index.js";
import { Stat, tryLstatat } from "../../sys/index.js";
import type { DiffSource } from "../driver.js";
import { isDirectory } from "../node-kind.js";
import { type Difference, differences } from "./differences.js";
import { closeAll, openDirectoryIn } from "./directory.js";
import { NodeReader, type OnSkip } from "./node-reader.js";
import { readTree } from "./read-tree.js";
import type { XattrChoice } from "./xattrs.js";

/** The changes of an opened diff, as `Driver.diff` gives them, without waiting: for worker threads. */
export function readDiff(source: DiffSource, onSkip?: OnSkip): Generator<SyncChange, void, undefined> {
  return changesIn(source, "capability", onSkip);
}

/** As `readDiff`, with the chosen xattrs: none saves opening each file. */
export function changesIn(
  source: DiffSource,
  xattrs: XattrChoice,
  onSkip: OnSkip = () => {},
): Generator<SyncChange, void, undefined> {
  if (source.kind === "trees") return readDifferences(source, new NodeReader(xattrs, onSkip));
  return readTree(source.root, { whiteouts: "overlay", xattrPrefix: source.xattrPrefix, xattrs, onSkip });
}

type Trees = Extract<DiffSource, { kind: "trees" }>;

function* readDifferences({ upper, lower }: Trees, reader: NodeReader): Generator<SyncChange, void> {
  const stat = new Stat();
  try {
    for (const difference of differences(upper, lower === undefined ? [] : [lower])) {
      reader.settle();
      const change = changeOf(difference, reader, stat);
      if (change) yield change;
    }
  } finally {
    reader[Symbol.dispose]();
  }
}

function changeOf({ kind, dir, name, path }: Difference, reader: NodeReader, stat: Stat): SyncChange | undefined {
  if (kind === "deleted") return { kind: "whiteout", path };
  if (!tryLstatat(dir, name, stat)) return undefined;
  if (!isDirectory(stat)) return reader.node(dir, name, path, stat);
  const fd = openDirectoryIn(dir, name);
  try {
    return fd === undefined ? undefined : reader.directory(fd, path, stat);
  } finally {
    closeAll([fd]);
  }
}
