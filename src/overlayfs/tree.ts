import type { Path } from "../spec/index.js";
import type { ChangeHead, Meta } from "./change.js";

/**
 * A directory with all that is in it. A merged tree is what processes see; a layer's tree is what the layer does to
 * those below, and may also hold whiteouts, opaque and redirected directories.
 */
export type Tree = Directory;

/**
 * One node of a tree; never changed, but inside the model that owns it. Names that have one and the same object are
 * hard links of each other.
 */
export type Inode = Directory | RegularFile | Symlink | Fifo | Device | Whiteout;

export interface Directory {
  readonly kind: "directory";
  readonly meta: Meta;
  /** In no order. */
  readonly entries: ReadonlyMap<string, Inode>;
  /** Hides all that layers below have inside it. */
  readonly opaque?: boolean;
  /**
   * The name that layers below have it by: another name in the same parent, or, with `/` in front, a path from their
   * root. @see Linux Documentation/filesystems/overlayfs.rst, "Redirect dir"
   */
  readonly redirect?: string;
}

export interface RegularFile {
  readonly kind: "file";
  readonly meta: Meta;
  readonly size: number;
  /** Equal for equal bytes: a digest, or in tests the text itself. Left out where nobody looked. */
  readonly content?: string;
}

export interface Symlink {
  readonly kind: "symlink";
  readonly meta: Meta;
  readonly target: string;
}

export interface Fifo {
  readonly kind: "fifo";
  readonly meta: Meta;
}

export interface Device {
  readonly kind: "char" | "block";
  readonly meta: Meta;
  readonly major: number;
  readonly minor: number;
}

/** Hides its name in every layer below. */
export interface Whiteout {
  readonly kind: "whiteout";
  readonly meta?: Meta;
}

/** A change of a layer, with what a tree knows beyond the head: the content's name, and where a directory was. */
export type TreeChange =
  | Exclude<ChangeHead, { kind: "file" }>
  | (Extract<ChangeHead, { kind: "file" }> & Pick<RegularFile, "content">)
  | ({ readonly path: Path } & Pick<Directory, "kind" | "meta" | "redirect">);
