import { readSync } from "node:fs";
import { joinPath, type Path } from "../../spec/index.js";
import { close, DT, lstatat, O, openat, readDirectory, readlinkat, S, Stat } from "../../sys/index.js";
import { quoted } from "../quoted.js";
import { openRoot } from "./directory.js";
import { allXattrs } from "./xattrs.js";

export interface CompareOptions {
  /**
   * Times of directories count too, the root itself, and overlayfs's own xattrs. Without, they do not: storage drivers
   * think differently of them. Nor does SELinux's label then, which a container's mount sets.
   */
  readonly exact?: boolean;
  /** Whether to look into a directory; into all unless given. */
  readonly enters?: (path: Path) => boolean;
}

/**
 * Looks for a difference between two trees as they are seen in a mount: in names, types, modes, owners, sizes, times,
 * xattrs, link targets, devices, and what is linked to what. Content is the same where the inode is; else it is read.
 * Sockets do not count. Synchronous: for a worker thread.
 *
 * @returns one line that tells the first difference; undefined: there is none
 */
export function compareTrees(a: string, b: string, options: CompareOptions = {}): string | undefined {
  return onOpen([openRoot(a), openRoot(b)], ([left, right]) => {
    const comparison = new Comparison(options);
    const root = options.exact ? comparison.node(left, right, ".", "") : undefined;
    return root ?? comparison.directory(left, right, "");
  });
}

const directoryFlags = O.O_RDONLY | O.O_DIRECTORY | O.O_NOFOLLOW;
const fileFlags = O.O_RDONLY | O.O_NOFOLLOW | O.O_NONBLOCK;
const [statA, statB] = [new Stat(), new Stat()];
const [roomA, roomB] = [Buffer.allocUnsafeSlow(256 << 10), Buffer.allocUnsafeSlow(256 << 10)];

class Comparison {
  readonly #exact: boolean;
  readonly #enters: (path: Path) => boolean;
  /** The first name of each inode that has several. */
  readonly #namesA = new Map<bigint, Path>();
  readonly #namesB = new Map<bigint, Path>();

  constructor({ exact = false, enters = () => true }: CompareOptions) {
    this.#exact = exact;
    this.#enters = enters;
  }

  directory(a: number, b: number, path: Path): string | undefined {
    const [left, right] = [namesIn(a), namesIn(b)];
    const at = left.findIndex((name, i) => name !== right[i]);
    const odd = at >= 0 ? [left[at], right[at]] : [right[left.length]];
    const [only] = odd.filter((name) => name !== undefined).sort();
    if (only !== undefined) return `${quoted(joinPath(path, only))} is in one of them only`;
    for (const name of left) {
      const difference = this.node(a, b, name, joinPath(path, name));
      if (difference !== undefined) return difference;
    }
    return undefined;
  }

  /** Of one name in two directories, which both have it. */
  node(a: number, b: number, name: string, path: Path): string | undefined {
    lstatat(a, name, statA);
    lstatat(b, name, statB);
    const type = statA.mode & S.IFMT;
    const difference = this.#differenceOfStats(path);
    if (difference !== undefined) return `${quoted(path)}: ${difference}`;
    if (type === S.IFREG && isSameInode()) return undefined;
    const [x, y] = [this.#xattrs(a, name), this.#xattrs(b, name)];
    if (x !== y) return `${quoted(path)}: xattrs were ${x || "none"}, are ${y || "none"}`;
    if (type === S.IFREG) return sameContent(a, b, name) ? undefined : `${quoted(path)}: its content differs`;
    if (type === S.IFLNK && readlinkat(a, name) !== readlinkat(b, name)) return `${quoted(path)}: its target differs`;
    return type === S.IFDIR && path !== "" && this.#enters(path) ? this.#inside(a, b, name, path) : undefined;
  }

  #inside(a: number, b: number, name: string, path: Path): string | undefined {
    return onOpen([openat(a, name, directoryFlags), openat(b, name, directoryFlags)], ([left, right]) =>
      this.directory(left, right, path),
    );
  }

  #differenceOfStats(path: Path): string | undefined {
    const isDirectory = (statA.mode & S.IFMT) === S.IFDIR;
    for (const [what, of] of facts) {
      if (isDirectory && (what === "size" || (what === "time" && !this.#exact))) continue;
      const [x, y] = [of(statA), of(statB)];
      if (x !== y) return `${what} was ${shown(what, x)}, is ${shown(what, y)}`;
    }
    if (isDirectory || (statA.nlink < 2 && statB.nlink < 2)) return undefined;
    const [x, y] = [firstName(this.#namesA, statA.ino, path), firstName(this.#namesB, statB.ino, path)];
    return x === y ? undefined : `it was one with ${quoted(x)}, is with ${quoted(y)}`;
  }

  #xattrs(dir: number, name: string): string {
    return [...allXattrs(dir, name, this.#exact ? "every" : "all")]
      .filter(([xattr]) => this.#exact || xattr !== "security.selinux")
      .map(([xattr, value]) => `${xattr}=${Buffer.from(value).toString("hex")}`)
      .sort()
      .join(" ");
  }
}

type Fact = readonly [what: string, of: (stat: Stat) => number | bigint];

const facts: readonly Fact[] = [
  ["type and mode", ({ mode }) => mode],
  ["user", ({ uid }) => uid],
  ["group", ({ gid }) => gid],
  ["size", ({ size }) => size],
  ["time", ({ mtimeNs }) => mtimeNs],
  ["major number", ({ rdevMajor }) => rdevMajor],
  ["minor number", ({ rdevMinor }) => rdevMinor],
];

function shown(what: string, value: number | bigint): string {
  return value.toString(what === "type and mode" ? 8 : 10);
}

/** A mount shows the inode number of the layer's file, and always its time of change. */
function isSameInode(): boolean {
  return statA.ino === statB.ino && statA.ctimeNs === statB.ctimeNs;
}

function firstName(names: Map<bigint, Path>, ino: bigint, path: Path): Path {
  const first = names.get(ino);
  if (first === undefined) names.set(ino, path);
  return first ?? path;
}

function namesIn(dir: number): string[] {
  return readDirectory(dir)
    .filter(({ type }) => type !== DT.SOCK)
    .map(({ name }) => name)
    .sort();
}

function sameContent(a: number, b: number, name: string): boolean {
  return onOpen([openat(a, name, fileFlags), openat(b, name, fileFlags)], ([left, right]) => {
    for (;;) {
      const [x, y] = [readSync(left, roomA), readSync(right, roomB)];
      if (x !== y || roomA.compare(roomB, 0, y, 0, x) !== 0) return false;
      if (x === 0) return true;
    }
  });
}

function onOpen<T>(fds: [number, number], work: (fds: [number, number]) => T): T {
  try {
    return work(fds);
  } finally {
    for (const fd of fds) close(fd);
  }
}
