import type { IdMap } from "../../driver/index.js";
import type { DiffID } from "../../spec/index.js";
import type { Difference } from "../check/finding.js";

/** Compares a layer's directory, byte for byte, with what its DiffID and tar-split say. Plain data, for threads. */
export interface DeepJob {
  /** The directory that has the layer's files. */
  readonly tree: string;
  readonly split: string;
  readonly diffID: DiffID;
  /** `own`: the tree has what the layer changes, deletions as overlayfs marks them. `whole`: all below it, too. */
  readonly holds: "own" | "whole";
  /** Of a whole tree: that of the layer below. */
  readonly below?: string;
  /** What ids of archives are on disk; absent: owners on disk say nothing. */
  readonly ids?: IdMap;
  /** Names directly in the tree that are told of elsewhere. */
  readonly passOver: readonly string[];
}

/** What came out. */
export interface Compared {
  /** The first of them. */
  readonly differences: readonly Difference[];
  /** Of a whole tree: what it has otherwise than that of the layer below, which may be the one that is wrong. */
  readonly fromBelow: readonly Difference[];
  /** Those besides. */
  readonly more: number;
  /** The tar-split cannot be read, or is not the layer's: nothing can be said of the files. */
  readonly splitProblem?: string;
  /** The archive has something that is not compared here, though its bytes are: why. */
  readonly notCompared?: string;
}
