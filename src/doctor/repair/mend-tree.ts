import { join } from "node:path";
import { isErrno, type Path, parentOf, randomID } from "../../spec/index.js";
import * as sys from "../../sys/index.js";
import type { Quarantine } from "./quarantine.js";
import type { Scope } from "./scope.js";
import { opaqueMark, type TreeDifference, treeDifferences } from "./tree-difference.js";

/** What of a layer's directory was not as it should be, by number. */
export interface Mended {
  readonly other: number;
  readonly missing: number;
  readonly extra: number;
  readonly metadata: number;
}

export interface MendOptions {
  readonly scope: Scope;
  readonly quarantine: Quarantine;
  /** For the quarantine. */
  readonly why: string;
  /** Trees that share files with the old one by hard links: what is replaced in that is replaced in them as well. */
  readonly sharing: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

const { AT_FDCWD, S } = sys;

/**
 * Makes a layer's directory what it is when it is made anew, one name after the other, each in one step; all that
 * differs is moved over from `fresh`, which is good for nothing afterwards. Whoever is interrupted begins again with
 * another `fresh`. No file is written into: it may be one with those of other layers.
 */
export async function mendTree(old: string, fresh: string, options: MendOptions): Promise<Mended> {
  const found = await all(treeDifferences(old, fresh, options.scope), options.signal);
  const mending = new Mending(old, fresh, options);
  mending.note(found);
  for (const [done, difference] of found.entries()) {
    mending.mend(difference);
    if (done % pace === 0) await breathe(options.signal);
  }
  mending.setTimes();
  const count = (kind: TreeDifference["kind"]) => found.filter((each) => each.kind === kind).length;
  return { other: count("other"), missing: count("missing"), extra: count("extra"), metadata: count("metadata") };
}

const pace = 256;

async function all(differences: Iterable<TreeDifference | undefined>, signal?: AbortSignal): Promise<TreeDifference[]> {
  const found: TreeDifference[] = [];
  let looked = 0;
  for (const difference of differences) {
    if (difference) found.push(difference);
    if (++looked % pace === 0) await breathe(signal);
  }
  return found;
}

/** Lets signals come in. */
async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
}

class Mending {
  readonly #old: string;
  readonly #fresh: string;
  readonly #options: MendOptions;
  /** Of directories that are written into: what their times are to be in the end. */
  readonly #times = new Map<Path, bigint>();
  readonly #stat = new sys.Stat();

  constructor(old: string, fresh: string, options: MendOptions) {
    this.#old = old;
    this.#fresh = fresh;
    this.#options = options;
  }

  /** Before anything is changed: the times that changes will take away. */
  note(differences: readonly TreeDifference[]): void {
    for (const { kind, path } of differences) {
      const dir = kind === "metadata" ? path : parentOf(path);
      if (this.#times.has(dir)) continue;
      const from = this.#options.scope.knowsTime(dir) ? this.#fresh : this.#old;
      this.#times.set(dir, sys.lstatat(AT_FDCWD, join(from, dir), this.#stat).mtimeNs);
    }
  }

  mend(difference: TreeDifference): void {
    const { kind, path } = difference;
    const inode = difference.kind === "other" ? difference.inode : undefined;
    const old = join(this.#old, path);
    const fresh = ("twin" in difference && this.#linkTo(difference.twin)) || join(this.#fresh, path);
    const why = `${this.#options.why}: ${kind === "extra" ? "not of the layer" : "not as the layer has it"}`;
    if (kind === "metadata") this.#setMetadata(old, fresh, path);
    else if (kind === "extra") this.#options.quarantine.take(old, why);
    else if (kind === "missing") moveNew(fresh, old);
    else if (inode === undefined) {
      this.#options.quarantine.take(old, why);
      moveNew(fresh, old);
    } else this.#replace(old, fresh, { path, inode, why });
  }

  /** What is no directory. */
  #replace(old: string, fresh: string, { path, inode, why }: { path: Path; inode: string; why: string }): void {
    // This tree last: as long as it is damaged, a repair that was interrupted begins again.
    for (const tree of this.#options.sharing) this.#replaceShared(join(tree, path), fresh, inode);
    this.#keep(old, fresh, why);
  }

  /**
   * @param twin the right name of a file that has lost this one
   * @returns a further name of it, to be moved; undefined: it has as many names as the file system allows
   */
  #linkTo(twin: Path): string | undefined {
    const path = this.#temporary();
    try {
      sys.linkat(AT_FDCWD, join(this.#old, twin), AT_FDCWD, path);
      return path;
    } catch (error) {
      if (isErrno(error, "EMLINK")) return undefined;
      throw error;
    }
  }

  /** Beside the fresh tree: what an interruption leaves there goes with it. */
  #temporary(): string {
    return `${this.#fresh}-${randomID()}`;
  }

  /** Those deepest first: to set one below would not change one above, but to be sure of it costs nothing. */
  setTimes(): void {
    const deepestFirst = [...this.#times].sort(([a], [b]) => b.split("/").length - a.split("/").length);
    for (const [dir, mtimeNs] of deepestFirst) {
      const path = join(this.#old, dir);
      if (sys.tryLstatat(AT_FDCWD, path, this.#stat)) sys.lutimesat(AT_FDCWD, path, mtimeNs, mtimeNs);
    }
  }

  /** Puts the fresh one in place of the old one, which is kept. */
  #keep(old: string, fresh: string, why: string): void {
    try {
      this.#options.quarantine.link(old, why);
      sys.renameat2(AT_FDCWD, fresh, AT_FDCWD, old);
    } catch (error) {
      // It has as many names as the file system allows.
      if (!isErrno(error, "EMLINK")) throw error;
      sys.renameat2(AT_FDCWD, fresh, AT_FDCWD, old, sys.rename.exchange);
      this.#options.quarantine.take(fresh, why);
    }
  }

  /** Where another tree has the very file that is replaced. */
  #replaceShared(path: string, fresh: string, inode: string): void {
    if (!sys.tryLstatat(AT_FDCWD, path, this.#stat)) return;
    const { dev, ino, mode } = this.#stat;
    if (`${dev}:${ino}` !== inode || (mode & S.IFMT) === S.IFDIR) return;
    const dir = path.slice(0, path.lastIndexOf("/"));
    const { mtimeNs } = sys.lstatat(AT_FDCWD, dir, this.#stat);
    const temporary = this.#temporary();
    sys.linkat(AT_FDCWD, fresh, AT_FDCWD, temporary);
    sys.renameat2(AT_FDCWD, temporary, AT_FDCWD, path);
    sys.lutimesat(AT_FDCWD, dir, mtimeNs, mtimeNs);
  }

  #setMetadata(old: string, fresh: string, path: Path): void {
    const { uid, gid, mode } = sys.lstatat(AT_FDCWD, fresh, this.#stat);
    const [mark, was] = [opaqueMark(fresh), opaqueMark(old)];
    if (mark !== undefined) sys.lsetxattr(old, mark, Buffer.from("y"));
    else if (was !== undefined) sys.lremovexattr(old, was);
    if (!this.#options.scope.knowsDirectory(path)) return;
    if (this.#options.scope.knowsTime(path)) copyXattrs(fresh, old);
    sys.lchownat(AT_FDCWD, old, uid, gid);
    const fd = sys.openat(AT_FDCWD, old, sys.O.O_RDONLY | sys.O.O_DIRECTORY | sys.O.O_NOFOLLOW);
    try {
      sys.fchmod(fd, mode & 0o7777);
    } finally {
      sys.close(fd);
    }
  }
}

function moveNew(from: string, to: string): void {
  sys.renameat2(AT_FDCWD, from, AT_FDCWD, to, sys.rename.noReplace);
}

/** But for those of overlayfs and SELinux. */
function copyXattrs(from: string, to: string): void {
  const named = (path: string) =>
    sys.llistxattr(path).filter((name) => !/^(trusted|user)\.overlay\.|^security\.selinux$/.test(name));
  for (const name of named(to)) if (sys.lgetxattr(from, name) === undefined) sys.lremovexattr(to, name);
  for (const name of named(from)) sys.lsetxattr(to, name, sys.lgetxattr(from, name) ?? Buffer.alloc(0));
}
