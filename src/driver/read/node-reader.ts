import type { Meta, SyncChange } from "../../overlayfs/index.js";
import type { Path } from "../../spec/index.js";
import { readlinkat, S, type Stat } from "../../sys/index.js";
import { ifThere } from "./directory.js";
import { FileBody } from "./file-body.js";
import { allXattrs, type XattrChoice, type Xattrs, xattrsOf } from "./xattrs.js";

export type OnSkip = (path: Path, why: string) => void;

/** Turns what is found in a directory into changes: knows the inodes it has met, and where the walk stands. */
export class NodeReader implements Disposable {
  readonly #xattrs: XattrChoice;
  readonly #onSkip: OnSkip;
  /** The first name of each inode that has more. */
  readonly #names = new Map<string, Path>();
  #body: FileBody | undefined;

  constructor(xattrs: XattrChoice, onSkip: OnSkip = () => {}) {
    this.#xattrs = xattrs;
    this.#onSkip = onSkip;
  }

  get #readsAll(): boolean {
    return this.#xattrs === "all" || this.#xattrs === "every";
  }

  /** A directory that is open. */
  directory(fd: number, path: Path, stat: Stat): SyncChange {
    const xattrs = this.#readsAll ? xattrsOf(fd, this.#xattrs) : undefined;
    return { kind: "directory", path, meta: metaOf(stat, xattrs) };
  }

  /**
   * `name` of an open directory, which is no directory; its content until `settle`.
   *
   * @returns undefined: nothing that a layer can hold, or nothing any more
   */
  node(dir: number, name: string, path: Path, stat: Stat): SyncChange | undefined {
    if ((stat.mode & S.IFMT) === S.IFREG) return ifThere(() => this.#file(dir, name, path, stat));
    if ((stat.mode & S.IFMT) !== S.IFSOCK) return ifThere(() => this.#special(dir, name, path, stat));
    this.#onSkip(path, "a socket, which no archive can hold");
    return undefined;
  }

  /** The walk goes on: the content of what it was at is no more. */
  settle(): void {
    this.#body?.end();
    this.#body = undefined;
  }

  [Symbol.dispose](): void {
    this.settle();
  }

  #file(dir: number, name: string, path: Path, stat: Stat): SyncChange {
    const size = stat.size;
    const body = new FileBody(dir, name, path, size);
    this.#body = body;
    const meta = metaOf(stat, this.#xattrs === "none" ? undefined : xattrsOf(body.fd, this.#xattrs));
    const to = this.#linked(path, stat);
    return to === undefined ? { kind: "file", path, meta, size, body } : { kind: "hardlink", path, meta, to };
  }

  #special(dir: number, name: string, path: Path, stat: Stat): SyncChange {
    const type = stat.mode & S.IFMT;
    const meta = metaOf(stat, this.#readsAll ? allXattrs(dir, name, this.#xattrs) : undefined);
    const to = this.#linked(path, stat);
    if (to !== undefined) return { kind: "hardlink", path, meta, to };
    if (type === S.IFLNK) return { kind: "symlink", path, meta, target: readlinkat(dir, name) };
    if (type === S.IFIFO) return { kind: "fifo", path, meta };
    const kind = type === S.IFCHR ? "char" : "block";
    return { kind, path, meta, major: stat.rdevMajor, minor: stat.rdevMinor };
  }

  /** Notes a name of an inode that may have more. @returns its first name, when that was another */
  #linked(path: Path, stat: Stat): Path | undefined {
    if (stat.nlink < 2) return undefined;
    const inode = `${stat.dev}:${stat.ino}`;
    const first = this.#names.get(inode);
    if (first === undefined) this.#names.set(inode, path);
    return first;
  }
}

const noXattrs: Xattrs = new Map();

export function metaOf(stat: Stat, xattrs: Xattrs = noXattrs): Meta {
  return { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, mtimeNs: stat.mtimeNs, xattrs };
}
