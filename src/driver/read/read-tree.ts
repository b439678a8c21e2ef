import type { Meta, SyncChange } from "../../overlayfs/index.js";
import { baseOf, DataLoss, joinPath, type Path, parentOf } from "../../spec/index.js";
import { close, fgetxattr, fstat, lgetxattr, lstatat, O, S, Stat, tryLstatat } from "../../sys/index.js";
import { openInRoot } from "../in-root.js";
import { isDirectory, isWhiteout } from "../node-kind.js";
import { quoted } from "../quoted.js";
import { closeAll, ifThere, openDirectoryIn, openRoot, pathIn, sortedNames } from "./directory.js";
import { metaOf, NodeReader, type OnSkip } from "./node-reader.js";
import type { XattrChoice } from "./xattrs.js";

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
  readonly xattrs?: XattrChoice;
  /** Told what is left out, and why: sockets, which no archive can hold. What vanishes meanwhile is not told. */
  readonly onSkip?: OnSkip;
}

/**
 * Walks a directory: byte-wise lexical order per directory, depth first, a directory before its content, the first
 * name of an inode as the file and later ones as hard links to it. Synchronous and lazy: bodies are read from the
 * disk when they are, and only until the next change is asked for. No symlink inside leads the walk anywhere.
 *
 * @throws SyscallError: ENOENT, there is no `base`
 */
export function* readTree(root: string, options: ReadTreeOptions = {}): Generator<SyncChange, void, undefined> {
  const { base = "", as = "", rootEntry = false } = options;
  const start = openRoot(root);
  try {
    using walk = new Walk(options);
    if (base === "") yield* walk.directory(openRoot(root), as, rootEntry);
    else yield* walkFrom(start, base, as, rootEntry, walk);
  } finally {
    close(start);
  }
}

function* walkFrom(root: number, base: Path, as: Path, rootEntry: boolean, walk: Walk): Generator<SyncChange, void> {
  const dir = openInRoot(root, parentOf(base), O.O_RDONLY | O.O_DIRECTORY);
  try {
    const name = baseOf(base);
    const stat = lstatat(dir, name, new Stat());
    const fd = isDirectory(stat) ? openDirectoryIn(dir, name) : undefined;
    if (fd !== undefined) yield* walk.directory(fd, as, rootEntry);
    else yield* walk.node(dir, name, as, stat);
  } finally {
    close(dir);
  }
}

/** A directory that the walk is in. */
interface Frame {
  readonly fd: number;
  readonly path: Path;
  readonly names: readonly string[];
  next: number;
}

class Walk implements Disposable {
  readonly #reader: NodeReader;
  readonly #opaque: string | undefined;
  readonly #metacopy: string | undefined;
  readonly #stat = new Stat();

  constructor({ whiteouts, xattrPrefix = "trusted.overlay.", xattrs = "capability", onSkip }: ReadTreeOptions) {
    this.#reader = new NodeReader(xattrs, onSkip);
    this.#opaque = whiteouts === "overlay" ? `${xattrPrefix}opaque` : undefined;
    this.#metacopy = whiteouts === "overlay" ? `${xattrPrefix}metacopy` : undefined;
  }

  /** @param fd open; closed at the end */
  *directory(fd: number, path: Path, rootEntry: boolean): Generator<SyncChange, void> {
    const frames: Frame[] = [{ fd, path, names: sortedNames(fd), next: 0 }];
    try {
      if (rootEntry) yield this.#reader.directory(fd, path, fstat(fd, this.#stat));
      for (let frame = frames.at(-1); frame; frame = frames.at(-1)) {
        const name = frame.names[frame.next++];
        this.#reader.settle();
        if (name === undefined) {
          frames.pop();
          close(frame.fd);
        } else if (tryLstatat(frame.fd, name, this.#stat)) {
          const path = joinPath(frame.path, name);
          if (!isDirectory(this.#stat)) yield* this.node(frame.fd, name, path, this.#stat);
          else yield* this.#enter(frames, frame.fd, name, path);
        }
      }
    } finally {
      closeAll(frames.map((frame) => frame.fd));
    }
  }

  /** What is no directory; nothing for what no layer can hold. */
  *node(dir: number, name: string, path: Path, stat: Stat): Generator<SyncChange, void> {
    if (this.#opaque !== undefined && isWhiteout(stat)) {
      yield { kind: "whiteout", path, meta: metaOf(stat) };
    } else {
      if (this.#metacopy !== undefined) assertHasContent(pathIn(dir, name), path, stat, this.#metacopy);
      const change = this.#reader.node(dir, name, path, stat);
      if (change) yield change;
    }
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]();
  }

  *#enter(frames: Frame[], dir: number, name: string, path: Path): Generator<SyncChange, void> {
    const fd = openDirectoryIn(dir, name);
    if (fd === undefined) return;
    frames.push({ fd, path, names: sortedNames(fd), next: 0 });
    const change = this.#reader.directory(fd, path, this.#stat);
    const opaque = this.#opaque !== undefined && isOpaque(fd, this.#opaque);
    yield change;
    if (opaque) yield { kind: "opaque", path, meta: (change as { meta: Meta }).meta };
  }
}

function isOpaque(fd: number, xattr: string): boolean {
  const value = fgetxattr(fd, xattr);
  return value?.length === 1 && value[0] === 0x79; // "y"
}

/**
 * With `metacopy` a change of metadata leaves a file in the upper layer that has a size and nothing else. Its blocks do
 * not tell: attributes may take one.
 */
export function assertHasContent(at: string, path: Path, stat: Stat, metacopy: string): void {
  if (stat.size === 0 || (stat.mode & S.IFMT) !== S.IFREG) return;
  if (ifThere(() => lgetxattr(at, metacopy)) === undefined) return;
  throw new DataLoss(`${quoted(path)}: its content is in a layer below, since it was mounted with metacopy=on`);
}
