import type { WriteTarget } from "../../driver/index.js";
import type { Path } from "../../spec/index.js";

/** What copy threads do. Plain data: it is sent to them. */
export type CopyJob = TarJob | ExtractJob | FillJob | MeasureJob;

/** Feeds back what is at `base` below `root` as a tar archive. */
export interface TarJob {
  readonly kind: "tar";
  readonly root: string;
  readonly base: Path;
  /** What `base` is called in the archive; undefined: only what is in it comes, under its own names. */
  readonly as?: string;
}

/** Writes the tar archive that is fed, compressed or not. */
export interface ExtractJob {
  readonly kind: "extract";
  readonly target: WriteTarget;
}

/** Copies a tree with everything files have. */
export interface FillJob {
  readonly kind: "fill";
  readonly root: string;
  readonly base: Path;
  readonly target: WriteTarget;
}

/** Counts the bytes of all files below `root`, each inode once. */
export interface MeasureJob {
  readonly kind: "measure";
  readonly root: string;
}
