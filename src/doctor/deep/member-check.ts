import { realpathSync } from "node:fs";
import { FilesInside, ownerOnDisk } from "../../driver/index.js";
import type { ChangeHead, ChangeSink } from "../../overlayfs/index.js";
import { baseOf, decodeName, isErrno, joinPath, type Path, parentOf } from "../../spec/index.js";
import { AT_FDCWD, lgetxattr, readlinkat, S, Stat, tryLstatat } from "../../sys/index.js";
import type { Difference } from "../check/finding.js";
import type { DeepJob } from "./jobs.js";
import { sameContent } from "./same-content.js";
import type { Tally } from "./tally.js";
import { Told } from "./told.js";

type Node = Exclude<ChangeHead, { kind: "whiteout" | "opaque" }>;

const types: Readonly<Record<number, string>> = {
  ...{ [S.IFREG]: "a file", [S.IFDIR]: "a directory", [S.IFLNK]: "a symlink", [S.IFIFO]: "a fifo" },
  ...{ [S.IFCHR]: "a character device", [S.IFBLK]: "a block device" },
};
const wanted = {
  ...{ file: S.IFREG, hardlink: S.IFREG, directory: S.IFDIR, symlink: S.IFLNK, fifo: S.IFIFO },
  ...{ char: S.IFCHR, block: S.IFBLK },
} as const;

const mostPending = 10_000;

/**
 * Compares what a layer's archive says of each of its members with what lies in the layer's directory; contents apart.
 * Time is compared to the second, and not of directories: what is made or removed in them changes it.
 */
export class MemberCheck implements ChangeSink, Disposable {
  readonly told = new Told();
  readonly #job: DeepJob;
  readonly #files: FilesInside;
  readonly #stat = new Stat();
  readonly #other = new Stat();
  /** Of inodes whose metadata a hard link may yet turn out to have changed rightly. */
  readonly #pending = new Map<bigint, Difference[]>();
  /** Deletions that a later entry of the name undoes. */
  readonly #undeleted = new Map<Path, Difference>();
  readonly #tally: Tally;
  readonly #root: string;
  /** The directory of the last member, and where it really is. */
  #realParent: { readonly of: Path; readonly is: Path } | undefined;

  constructor(job: DeepJob, tally: Tally) {
    this.#job = job;
    this.#root = decodeName(realpathSync(job.tree, { encoding: "buffer" }));
    this.#tally = tally;
    this.#files = new FilesInside(job.tree);
  }

  data(): void {}

  change(head: ChangeHead): void {
    if (head.kind === "whiteout") this.#whiteout(head.path);
    else if (head.kind === "opaque") this.#opaque(head.path);
    else if (head.path !== "") this.#node(head);
  }

  /** Reads the directory's own entries no further. */
  end(): void {
    for (const differences of this.#pending.values()) this.#tally.addAll(differences);
    this.#tally.addAll([...this.#undeleted.values()]);
  }

  [Symbol.dispose](): void {
    this.#files[Symbol.dispose]();
  }

  /** What is at a path, into `stat`. @returns its directory and name; undefined: there is nothing */
  #find(path: Path, stat: Stat): { readonly dir: number; readonly name: string } | undefined {
    try {
      const place = this.#files.place(path);
      return tryLstatat(place.dir, place.name, stat) ? place : undefined;
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENOTDIR", "ELOOP")) return undefined;
      throw error;
    }
  }

  #node(head: Node): void {
    const { path, kind } = head;
    this.told.member(path);
    this.#undeleted.delete(path);
    const place = this.#find(path, this.#stat);
    if (place) this.#tellRealPath(path, place.dir);
    if (!place || this.#isWhiteout()) {
      this.#tally.add(path, "missing");
      return;
    }
    const type = this.#stat.mode & S.IFMT;
    if (type !== wanted[kind]) {
      this.#tally.add(path, "type", { found: types[type] ?? "a socket", expected: types[wanted[kind]] ?? kind });
      return;
    }
    if (kind === "symlink") this.#symlink(path, place, head.target);
    if (kind === "char" || kind === "block") this.#device(path, head);
    if (kind === "hardlink") this.#hardlink(path, head.to);
    this.#metadata(head, place);
  }

  /** What the archive has below a symlink lies where that leads. */
  #tellRealPath(path: Path, dir: number): void {
    const parent = parentOf(path);
    if (this.#realParent?.of !== parent) {
      const real = readlinkat(AT_FDCWD, `/proc/self/fd/${dir}`);
      this.#realParent = { of: parent, is: real.slice(this.#root.length + 1) };
    }
    const { is } = this.#realParent;
    if (is !== parent) this.told.member(joinPath(is, baseOf(path)));
  }

  #isWhiteout(): boolean {
    if (this.#job.holds !== "own" || (this.#stat.mode & S.IFMT) !== S.IFCHR) return false;
    return this.#stat.rdevMajor === 0 && this.#stat.rdevMinor === 0;
  }

  #symlink(path: Path, { dir, name }: { readonly dir: number; readonly name: string }, expected: string): void {
    const found = readlinkat(dir, name);
    if (found !== expected)
      this.#tally.add(path, "type", { found: `leads to ${found}`, expected: `leads to ${expected}` });
  }

  #device(path: Path, { major, minor }: { readonly major: number; readonly minor: number }): void {
    const found = `device ${this.#stat.rdevMajor}:${this.#stat.rdevMinor}`;
    if (found !== `device ${major}:${minor}`)
      this.#tally.add(path, "type", { found, expected: `device ${major}:${minor}` });
  }

  /** One inode, or at least the same content: copies of a root may have lost the link. */
  #hardlink(path: Path, to: Path): void {
    const target = this.#find(to, this.#other);
    if (!target || this.#stat.ino === this.#other.ino) return;
    if (this.#stat.size === this.#other.size && sameContent(this.#files, path, this.#files, to, this.#stat.size))
      return;
    this.#tally.add(path, "content", { expected: `that of ${to}` });
  }

  #metadata(head: Node, { dir, name }: { readonly dir: number; readonly name: string }): void {
    const { path, kind, meta } = head;
    const found: Difference[] = [];
    const differ = (how: Difference["how"], is: string, expected: string) => {
      if (is !== expected) found.push({ path, how, found: is, expected });
    };
    // A hard link's entry decides over that of its file.
    if (kind === "hardlink") this.#pending.delete(this.#stat.ino);
    if (kind !== "symlink") differ("mode", octal(this.#stat.mode), octal(meta.mode));
    const { ids } = this.#job;
    if (ids) {
      const { uid = "none", gid = "none" } = ownerOnDisk(meta, { ids });
      differ("owner", `${this.#stat.uid}:${this.#stat.gid}`, `${uid}:${gid}`);
    }
    if (kind !== "directory" && isKept(meta.mtimeNs))
      differ("time", seconds(this.#stat.mtimeNs), seconds(meta.mtimeNs));
    if (kind === "file" || kind === "hardlink") this.#capability(head, `/proc/self/fd/${dir}/${name}`, differ);
    if (found.length === 0) return;
    if (kind === "file" || kind === "hardlink") this.#wait(found);
    else this.#tally.addAll(found);
  }

  /** Links come soon after their files as a rule; where all is astray not all can be kept waiting. */
  #wait(found: Difference[]): void {
    const [oldest] = this.#pending.size < mostPending ? [] : this.#pending;
    if (oldest) {
      this.#pending.delete(oldest[0]);
      this.#tally.addAll(oldest[1]);
    }
    this.#pending.set(this.#stat.ino, found);
  }

  /** Only programs can have it. */
  #capability({ meta }: Node, at: string, differ: (how: "capability", is: string, expected: string) => void): void {
    const expected = meta.xattrs.get("security.capability");
    if (!expected && (meta.mode & 0o111) === 0) return;
    differ("capability", permitted(capabilityAt(at)), permitted(expected));
  }

  #whiteout(path: Path): void {
    this.told.deleted(path, this.#job.holds === "own");
    if (this.told.isMember(path)) return;
    const place = this.#find(path, this.#stat);
    const isMarked = place !== undefined && this.#isWhiteout();
    if (this.#job.holds === "own" ? isMarked : place === undefined) return;
    const found = place ? (types[this.#stat.mode & S.IFMT] ?? "a socket") : "nothing";
    this.#undeleted.set(path, { path, how: "undeleted", found, expected: "deleted" });
  }

  #opaque(path: Path): void {
    this.told.opaque(path);
    if (this.#job.holds !== "own") return;
    const place = path === "" ? undefined : this.#find(path, this.#stat);
    const at = path === "" ? this.#job.tree : place && `/proc/self/fd/${place.dir}/${place.name}`;
    if (at !== undefined && isOpaque(at)) return;
    this.#tally.add(path, "undeleted", {
      found: "content of the layers below is seen",
      expected: "an opaque directory",
    });
  }
}

function octal(mode: number): string {
  return `0${(mode & 0o7777).toString(8)}`;
}

function seconds(ns: bigint): string {
  return String(ns / 1_000_000_000n);
}

/** File systems and dockerd put times beyond in the range. */
function isKept(ns: bigint): boolean {
  return ns >= 0n && ns < 2n ** 31n * 1_000_000_000n;
}

/** Undefined where the file system has no such thing. */
function capabilityAt(path: string): Uint8Array | undefined {
  try {
    return lgetxattr(path, "security.capability");
  } catch (error) {
    if (isErrno(error, "EOPNOTSUPP", "ENOTSUP")) return undefined;
    throw error;
  }
}

/** What it permits: the revision before that differs with who asks. */
function permitted(capability: Uint8Array | undefined): string {
  return capability ? Buffer.from(capability.subarray(4, 20)).toString("hex") : "none";
}

function isOpaque(path: string): boolean {
  return ["trusted.overlay.opaque", "user.overlay.opaque"].some((name) => {
    try {
      return Buffer.from(lgetxattr(path, name) ?? []).toString() === "y";
    } catch {
      return false;
    }
  });
}
