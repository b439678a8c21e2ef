import type { SyncChange } from "../../overlayfs/index.js";
import { Stat, tryLstatat } from "../../sys/index.js";
import type { DiffSource } from "../driver.js";
import { isDirectory } from "../node-kind.js";
import { type Difference, differences, type Pair } from "./differences.js";
import { closeAll, openDirectoryIn, pathIn } from "./directory.js";
import { NodeReader, type OnSkip } from "./node-reader.js";
import { assertHasContent, readTree } from "./read-tree.js";
import { UponLayers } from "./upon-layers.js";
import { UppersUponTree } from "./uppers-upon-tree.js";
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
  if (source.kind !== "upper") return readDifferences(source, new NodeReader(xattrs, onSkip));
  return readTree(source.root, { whiteouts: "overlay", xattrPrefix: source.xattrPrefix, xattrs, onSkip });
}

/** What says what a layer changes by being compared with another. */
export type Compared = Exclude<DiffSource, { kind: "upper" }>;

/** Opens the two for a comparison, which closes them. */
export function openPair(source: Compared): Pair {
  if (source.kind === "uppers") return UppersUponTree.open(source);
  return UponLayers.open(source.upper, source.lower === undefined ? [] : [source.lower]);
}

function* readDifferences(source: Compared, reader: NodeReader): Generator<SyncChange, void> {
  const metacopy = source.kind === "uppers" ? `${source.xattrPrefix}metacopy` : undefined;
  const stat = new Stat();
  try {
    for (const difference of differences(openPair(source))) {
      reader.settle();
      const change = changeOf(difference, reader, stat);
      const { dir, name, path } = difference;
      if (metacopy !== undefined && change?.kind === "file") assertHasContent(pathIn(dir, name), path, stat, metacopy);
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
