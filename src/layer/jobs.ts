import type { DiffSource, WriteTarget } from "../driver/index.js";
import type { DiffID } from "../spec/index.js";

/** What layer threads do. Plain data: it is sent to them. */
export type Job = UnpackJob | RecordJob | WriteJob | RebuildJob | MeasureJob | InodesJob;

/** Unpacks the archive that is fed, compressed or not. */
export interface UnpackJob {
  readonly kind: "unpack";
  readonly target: WriteTarget;
  /** Path of the `tar-split.json.gz` to make. */
  readonly split: string;
}

/** Makes a layer of what another changes, as if the archive of that were unpacked. */
export interface RecordJob {
  readonly kind: "record";
  readonly target: WriteTarget;
  readonly split: string;
  readonly source: DiffSource;
}

/** Writes what is in the archive that is fed, not compressed: the part of unpacking that a second thread does. */
export interface WriteJob {
  readonly kind: "write";
  readonly target: WriteTarget;
}

/** Feeds the archive of a layer back. */
export interface RebuildJob {
  readonly kind: "rebuild";
  /** The directory that has the layer's files. */
  readonly root: string;
  readonly split: string;
  readonly diffID: DiffID;
}

/** Counts the bytes of a layer's archive. */
export interface MeasureJob {
  readonly kind: "measure";
  readonly split: string;
}

/** Counts what a chain of layers takes of a file system's inodes. */
export interface InodesJob {
  readonly kind: "inodes";
  /** Bottom first. */
  readonly splits: readonly string[];
}

/** What `unpack` and `record` have made. */
export interface Unpacked {
  readonly diffID: DiffID;
  /** Bytes of content, as the driver counts them. */
  readonly diffSize: number;
}
