import { readSync } from "node:fs";
import { joinPath, type Path } from "../../spec/index.js";
import * as sys from "../../sys/index.js";
import type { Scope } from "./scope.js";

/** Where a layer's directory is not what it is when it is made anew. */
export type TreeDifference =
  /** `inode`: of what is there now; no directory on both sides. `twin`: another name of the file, which is right. */
  | { readonly kind: "other"; readonly path: Path; readonly inode?: string; readonly twin?: Path }
  | { readonly kind: "missing"; readonly path: Path; readonly twin?: Path }
  | { readonly kind: "extra" | "metadata"; readonly path: Path };

const { S, O } = sys;
const directoryFlags = O.O_RDONLY | O.O_DIRECTORY | O.O_NOFOLLOW;
const fileFlags = O.O_RDONLY | O.O_NOFOLLOW | O.O_NONBLOCK;
const [roomA, roomB] = [Buffer.allocUnsafeSlow(256 << 10), Buffer.allocUnsafeSlow(256 << 10)];

/**
 * Compares a layer's directory with the same layer made anew, as far as its tar tells what there has to be. A file that
 * is one with others by hard links is told with all of them, so that it can be replaced and stay one. Directories come
 * before what is in them. Synchronous: `pause` is called now and then.
 */
export function* treeDifferences(
  old: string,
  fresh: string,
  scope: Scope,
): Generator<TreeDifference | undefined, void> {
  const comparison = new Comparison(scope);
  yield* comparison.roots(old, fresh);
  yield* comparison.linked();
}

/** The names of one file in the fresh tree. */
interface Group {
  /** One that is right, and its inode. */
  right?: { readonly path: Path; readonly inode: string };
  readonly wrong: Extract<TreeDifference, { readonly twin?: Path }>[];
}

class Comparison {
  readonly #scope: Scope;
  readonly #old = new sys.Stat();
  readonly #fresh = new sys.Stat();
  readonly #groups = new Map<bigint, Group>();

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  *roots(old: string, fresh: string): Generator<TreeDifference | undefined, void> {
    const fds = [old, fresh].map((path) => sys.openat(sys.AT_FDCWD, path, O.O_RDONLY | O.O_DIRECTORY));
    try {
      yield* this.#directory(fds[0]!, fds[1]!, "");
    } finally {
      for (const fd of fds) sys.close(fd);
    }
  }

  /** Of files with several names, what is wrong. */
  *linked(): Generator<TreeDifference, void> {
    for (const { right, wrong } of this.#groups.values()) {
      for (const difference of wrong) yield right === undefined ? difference : { ...difference, twin: right.path };
    }
  }

  *#directory(a: number, b: number, path: Path): Generator<TreeDifference | undefined, void> {
    yield undefined;
    if (this.#directoryDiffers(a, b, path)) yield { kind: "metadata", path };
    const [old, fresh] = [a, b].map((fd) => new Set(sys.readDirectory(fd).map(({ name }) => name)));
    for (const name of [...new Set([...old!, ...fresh!])].sort()) {
      const at = joinPath(path, name);
      if (!fresh!.has(name)) {
        if (this.#scope.knowsAbsence(at)) yield { kind: "extra", path: at };
      } else if (!old!.has(name)) {
        if (this.#scope.knowsPlace(at)) yield* this.#missing(b, name, at);
      } else yield* this.#node(a, b, name, at);
    }
  }

  *#missing(fresh: number, name: string, path: Path): Generator<TreeDifference, void> {
    const group = this.#groupOf(sys.lstatat(fresh, name, this.#fresh));
    if (group) group.wrong.push({ kind: "missing", path });
    else yield { kind: "missing", path };
  }

  *#node(a: number, b: number, name: string, path: Path): Generator<TreeDifference | undefined, void> {
    sys.lstatat(a, name, this.#old);
    sys.lstatat(b, name, this.#fresh);
    const [x, y] = [this.#old.mode & S.IFMT, this.#fresh.mode & S.IFMT];
    if (x === S.IFDIR && y === S.IFDIR) {
      if (this.#scope.enters(path)) yield* this.#inside(a, b, name, path);
    } else if (x === S.IFDIR || y === S.IFDIR) {
      const group = this.#groupOf(this.#fresh);
      if (!this.#scope.knowsPlace(path)) return;
      if (group) group.wrong.push({ kind: "other", path });
      else yield { kind: "other", path };
    } else if (this.#scope.knowsNode(path)) {
      const difference = this.#leaf(a, b, name, path);
      if (difference) yield difference;
    }
  }

  *#inside(a: number, b: number, name: string, path: Path): Generator<TreeDifference | undefined, void> {
    const fds = [sys.openat(a, name, directoryFlags), sys.openat(b, name, directoryFlags)];
    try {
      yield* this.#directory(fds[0]!, fds[1]!, path);
    } finally {
      for (const fd of fds) sys.close(fd);
    }
  }

  #leaf(a: number, b: number, name: string, path: Path): TreeDifference | undefined {
    const inode = inodeOf(this.#old);
    const group = this.#groupOf(this.#fresh);
    const isSame = inode === inodeOf(this.#fresh) || this.#sameLeaf(a, b, name);
    const difference = isSame ? undefined : ({ kind: "other", path, inode } as const);
    if (!group) return difference;
    if (difference) group.wrong.push(difference);
    else if (group.right === undefined) group.right = { path, inode };
    // As good as the first, but another file.
    else if (group.right.inode !== inode) group.wrong.push({ kind: "other", path, inode });
    return undefined;
  }

  /** @returns undefined: it has one name */
  #groupOf({ ino, nlink, mode }: sys.Stat): Group | undefined {
    if (nlink < 2 || (mode & S.IFMT) === S.IFDIR) return undefined;
    const group = this.#groups.get(ino) ?? { wrong: [] };
    this.#groups.set(ino, group);
    return group;
  }

  #sameLeaf(a: number, b: number, name: string): boolean {
    const [x, y] = [this.#old, this.#fresh];
    if (isWhiteout(x) && isWhiteout(y)) return true;
    if (x.mode !== y.mode || x.uid !== y.uid || x.gid !== y.gid) return false;
    if (x.rdevMajor !== y.rdevMajor || x.rdevMinor !== y.rdevMinor || !sameTime(x.mtimeNs, y.mtimeNs)) return false;
    const type = x.mode & S.IFMT;
    if (type === S.IFLNK) return sys.readlinkat(a, name) === sys.readlinkat(b, name);
    if (type === S.IFREG && x.size !== y.size) return false;
    return sameXattrs(pathIn(a, name), pathIn(b, name)) && (type !== S.IFREG || sameContent(a, b, name));
  }

  /** Its mark as opaque counts in any case: it is what hides the directories below. */
  #directoryDiffers(a: number, b: number, path: Path): boolean {
    const [x, y] = [this.#old, this.#fresh];
    if (opaqueMark(pathIn(a, ".")) !== opaqueMark(pathIn(b, "."))) return path !== "";
    if (!this.#scope.knowsDirectory(path)) return false;
    sys.fstat(a, x);
    sys.fstat(b, y);
    if (x.mode !== y.mode || x.uid !== y.uid || x.gid !== y.gid) return true;
    if (!this.#scope.knowsTime(path)) return false;
    return !sameTime(x.mtimeNs, y.mtimeNs) || !sameXattrs(pathIn(a, "."), pathIn(b, "."));
  }
}

function inodeOf({ dev, ino }: sys.Stat): string {
  return `${dev}:${ino}`;
}

function isWhiteout({ mode, rdevMajor, rdevMinor }: sys.Stat): boolean {
  return (mode & S.IFMT) === S.IFCHR && rdevMajor === 0 && rdevMinor === 0;
}

/** Docker makes 1970 of times before it. */
function sameTime(old: bigint, fresh: bigint): boolean {
  return old === fresh || (fresh < 0n && old === 0n);
}

function pathIn(dir: number, name: string): string {
  return `/proc/self/fd/${dir}/${name}`;
}

/** What overlayfs and SELinux note is theirs. */
function sameXattrs(a: string, b: string): boolean {
  return xattrsOf(a) === xattrsOf(b);
}

function xattrsOf(path: string): string {
  return sys
    .llistxattr(path)
    .filter((name) => !/^(trusted|user)\.overlay\.|^security\.selinux$/.test(name))
    .sort()
    .map((name) => `${name}=${Buffer.from(sys.lgetxattr(path, name) ?? []).toString("hex")}`)
    .join(" ");
}

/** @returns the name of the mark; undefined: the directory has none */
export function opaqueMark(path: string): string | undefined {
  const mark = sys.llistxattr(path).find((name) => /^(trusted|user)\.overlay\.opaque$/.test(name));
  return mark !== undefined && sys.lgetxattr(path, mark)?.[0] === 0x79 ? mark : undefined;
}

function sameContent(a: number, b: number, name: string): boolean {
  const fds = [sys.openat(a, name, fileFlags), sys.openat(b, name, fileFlags)];
  try {
    for (;;) {
      const [x, y] = [readSync(fds[0]!, roomA), readSync(fds[1]!, roomB)];
      if (x !== y || roomA.compare(roomB, 0, y, 0, x) !== 0) return false;
      if (x === 0) return true;
    }
  } finally {
    for (const fd of fds) sys.close(fd);
  }
}
