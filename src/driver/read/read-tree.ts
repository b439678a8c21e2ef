import type { SyncChange } from "../../overlayfs/index.js";
import { NotImplemented, type Path } from "../../spec/index.js";

export interface ReadTreeOptions {
  /**
   * Where below the root the walk begins, `""` for the root itself. Links on the way are followed inside the root;
   * a link at its end is not.
   */
  readonly base?: Path;
  /** What `base` is called in the changes' paths; `""` unless given. */
  readonly as?: Path;
  /** Whether `base` itself is a change; not unless given. What is no directory always is. */
  readonly rootEntry?: boolean;
  /** `overlay`: 0:0 devices are whiteouts, opaque directories are followed by an `opaque`. `none` unless given. */
  readonly whiteouts?: "overlay" | "none";
  /** Prefix of overlayfs's own xattrs; `trusted.overlay.` unless given. */
  readonly xattrPrefix?: string;
  /** Which xattrs to read: `security.capability` of files alone unless given. Never overlayfs's own. */
  readonly xattrs?: "capability" | "all" | "none";
  /** Told what is left out, and why: sockets, which no archive can hold. What vanishes meanwhile is not told. */
  readonly onSkip?: (path: Path, why: string) => void;
}

/**
 * Walks a directory: byte-wise lexical order per directory, depth first, a directory before its content, the first
 * name of an inode as the file and later ones as hard links to it. Synchronous and lazy: bodies are read from the
 * disk when they are, and only until the next change is asked for. No symlink inside leads the walk anywhere.
 */
export function readTree(_root: string, _options?: ReadTreeOptions): Generator<SyncChange, void, undefined> {
  throw new NotImplemented("readTree");
}
