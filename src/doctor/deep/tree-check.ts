import { FilesInside } from "../../driver/index.js";
import { isErrno, joinPath, type Path } from "../../spec/index.js";
import {
  AT_FDCWD,
  close,
  type DirectoryEntry,
  DT,
  O,
  openat,
  readDirectory,
  readlinkat,
  S,
  Stat,
  tryLstatat,
} from "../../sys/index.js";
import type { DeepJob } from "./jobs.js";
import { sameContent } from "./same-content.js";
import type { Tally } from "./tally.js";
import type { Told } from "./told.js";

const flags = O.O_RDONLY | O.O_DIRECTORY | O.O_NOFOLLOW;

/**
 * Walks a layer's directory for what its archive does not speak of. A whole tree is compared with that of the layer
 * below: what the layer leaves as it is has to be the same there.
 */
export class TreeCheck implements Disposable {
  readonly #job: DeepJob;
  readonly #told: Told;
  readonly #tally: Tally;
  readonly #files: FilesInside;
  readonly #below: FilesInside | undefined;
  readonly #up = new Stat();
  readonly #low = new Stat();

  constructor(job: DeepJob, told: Told, tally: Tally) {
    this.#job = job;
    this.#told = told;
    this.#tally = tally;
    this.#files = new FilesInside(job.tree);
    if (job.below !== undefined) this.#below = new FilesInside(job.below);
  }

  run(): void {
    const up = openat(AT_FDCWD, this.#job.tree, flags);
    const low = this.#job.below === undefined ? undefined : openat(AT_FDCWD, this.#job.below, flags);
    this.#directory(up, low, "");
  }

  [Symbol.dispose](): void {
    this.#files[Symbol.dispose]();
    this.#below?.[Symbol.dispose]();
  }

  /** Closes both. @param low undefined: nothing is seen of the layers below */
  #directory(up: number, low: number | undefined, path: Path): void {
    try {
      const inLow = new Set(low === undefined ? [] : readDirectory(low).map(({ name }) => name));
      for (const entry of readDirectory(up)) {
        if (path === "" && this.#job.passOver.includes(entry.name)) continue;
        this.#name(up, inLow.delete(entry.name) ? low : undefined, entry, joinPath(path, entry.name));
      }
      for (const name of inLow) this.#gone(joinPath(path, name));
    } finally {
      close(up);
      if (low !== undefined) close(low);
    }
  }

  /** @param low its directory in the layer below, if that has the name */
  #name(up: number, low: number | undefined, { name, type }: DirectoryEntry, path: Path): void {
    const isKnown = low === undefined && type !== DT.UNKNOWN;
    if (!isKnown && !tryLstatat(up, name, this.#up)) return;
    const isDirectory = isKnown ? type === DT.DIR : (this.#up.mode & S.IFMT) === S.IFDIR;
    const isSeen = low !== undefined && !this.#told.hides(path) && tryLstatat(low, name, this.#low);
    if (!this.#told.isPlace(path)) {
      if (!isSeen) {
        // A deleted name that is there has been told of.
        if (!this.#told.hides(path)) this.#tally.add(path, "extra");
        return;
      }
      this.#compareWithBelow(up, low, name, path);
    }
    if (!isDirectory) return;
    const isBoth = isSeen && (this.#low.mode & S.IFMT) === S.IFDIR;
    const inner = open(up, name);
    if (inner !== undefined) this.#directory(inner, isBoth ? open(low, name) : undefined, path);
  }

  /** The layer below has it, and this one does not. */
  #gone(path: Path): void {
    if (!this.#told.hides(path) && !this.#told.isMember(path))
      this.#tally.add(path, "missing", { expected: "as in the layer below" });
  }

  /** dockerd makes hard links of what stays as it is; a copy of a root may have lost them. */
  #compareWithBelow(up: number, low: number, name: string, path: Path): void {
    const [a, b] = [this.#up, this.#low];
    if (a.ino === b.ino && a.dev === b.dev) return;
    const expected = "as in the layer below";
    const type = a.mode & S.IFMT;
    if (type !== (b.mode & S.IFMT) || a.rdevMajor !== b.rdevMajor || a.rdevMinor !== b.rdevMinor) {
      this.#tally.add(path, "type", { expected });
      return;
    }
    if (type === S.IFLNK && readlinkat(up, name) !== readlinkat(low, name)) this.#tally.add(path, "type", { expected });
    if (a.mode !== b.mode) this.#tally.add(path, "mode", { found: `0${(a.mode & 0o7777).toString(8)}`, expected });
    if (a.uid !== b.uid || a.gid !== b.gid) this.#tally.add(path, "owner", { found: `${a.uid}:${a.gid}`, expected });
    if (type !== S.IFREG) return;
    const isSame = a.size === b.size && this.#below && sameContent(this.#files, path, this.#below, path, a.size);
    if (!isSame) this.#tally.add(path, "content", { expected });
  }
}

function open(dir: number, name: string): number | undefined {
  try {
    return openat(dir, name, flags);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ELOOP")) return undefined;
    throw error;
  }
}
