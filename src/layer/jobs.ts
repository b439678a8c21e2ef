import type { OldForm } from "../archive/index.js";
import type { DiffSource, WriteTarget } from "../driver/index.js";
import type { DiffID } from "../spec/index.js";

/** What layer threads do. Plain data: it is sent to them. */
export type Job = UnpackJob | RecordJob | WriteJob | RebuildJob | VerifyJob | AdoptJob | MeasureJob | InodesJob;

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
  /** Of the archive; as we write it unless given. */
  readonly form?: OldForm | undefined;
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

/** Rebuilds the archive of a layer for its digest alone. */
export interface VerifyJob extends Omit<RebuildJob, "kind"> {
  readonly kind: "verify";
}

/** Makes a layer of files that are there, in another driver's directory. */
export interface AdoptJob {
  readonly kind: "adopt";
  readonly target: WriteTarget;
  /** Tells what the layer consists of. */
  readonly split: string;
  /** The directory that has the files. */
  readonly content: string;
}

/** What `adopt` has made. */
export interface Adopted {
  readonly diffSize: number;
  readonly bytesCopied: number;
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
