import type { Meta, SyncChange } from "../../overlayfs/index.js";
import type { Path } from "../../spec/index.js";
import { readlinkat, S, type Stat } from "../../sys/index.js";
import { ifThere, pathIn } from "./directory.js";
import { FileBody } from "./file-body.js";
import { type XattrChoice, xattrsAt, xattrsOf } from "./xattrs.js";

export type OnSkip = (path: Path, why: string) => void;

/** Turns what is found in a directory into changes: knows the inodes it has met, and where the walk stands. */
export class NodeReader {
  readonly #xattrs: XattrChoice;
  readonly #onSkip: OnSkip;
  /** The first name of each inode that has more. */
  readonly #names = new Map<string, Path>();
  #turn = 0;

  constructor(xattrs: XattrChoice, onSkip: OnSkip = () => {}) {
    this.#xattrs = xattrs;
    this.#onSkip = onSkip;
  }

  /** A directory that is open. */
  directory(fd: number, path: Path, stat: Stat): SyncChange {
    this.#turn++;
    return { kind: "directory", path, meta: metaOf(stat, xattrsOf(fd, this.#xattrs)) };
  }

  /** `name` of an open directory, which is no directory. @returns undefined: nothing that a layer can hold */
  node(dir: number, name: string, path: Path, stat: Stat): SyncChange | undefined {
    const turn = ++this.#turn;
    const type = stat.mode & S.IFMT;
    if (type === S.IFSOCK) {
      this.#onSkip(path, "a socket, which no archive can hold");
      return undefined;
    }
    const xattrs = ifThere(() => xattrsAt(pathIn(dir, name), type === S.IFREG, this.#xattrs));
    if (!xattrs) return undefined;
    const meta = metaOf(stat, xattrs);
    const to = this.#linked(path, stat);
    if (to !== undefined) return { kind: "hardlink", path, meta, to };
    if (type === S.IFREG) {
      const body = new FileBody(dir, name, path, stat.size, () => turn === this.#turn);
      return { kind: "file", path, meta, size: stat.size, body };
    }
    if (type === S.IFLNK) {
      const target = ifThere(() => readlinkat(dir, name));
      return target === undefined ? undefined : { kind: "symlink", path, meta, target };
    }
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

export function metaOf(stat: Stat, xattrs: ReadonlyMap<string, Uint8Array> = new Map()): Meta {
  return { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, mtimeNs: stat.mtimeNs, xattrs };
}
