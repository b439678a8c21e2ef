import type { Meta } from "../../overlayfs/index.js";
import { baseOf, InvalidParameter, isErrno, joinPath, type Path, parentOf } from "../../spec/index.js";
import { lstatat, mkdirat, S, Stat } from "../../sys/index.js";
import type { WriteTarget } from "../driver.js";
import { isDirectory, isWhiteout } from "../node-kind.js";
import { quoted } from "../quoted.js";
import { applyToDirectory, type Place } from "./apply-meta.js";
import { AsMade } from "./as-made.js";
import { Directories } from "./directories.js";
import { HideByDevice } from "./hide-by-device.js";
import { HideByRemoval } from "./hide-by-removal.js";
import { HideNothing } from "./hide-nothing.js";
import type { Hiding } from "./hiding.js";
import { isJailed } from "./jail.js";
import { removeAt } from "./remove-at.js";

const stat = new Stat();

/** The tree that is written into: finds places in it, and makes room there. */
export class Ground implements Disposable {
  readonly #target: WriteTarget;
  readonly #directories: Directories;
  readonly #hiding: Hiding;
  /** Which owner and mode new files get by themselves. */
  readonly asMade = new AsMade();
  /** Bytes of files and link targets of this layer that were there and went again. */
  bytesRemoved = 0;

  constructor(target: WriteTarget) {
    this.#target = target;
    this.#directories = new Directories(target.root, target.base, (dir, name, path) => this.#imply(dir, name, path));
    this.#hiding = hidingOf(target, () => this.#forget());
  }

  /** Where `path` is to be made, valid until `settle`; directories above it that are missing are made. */
  place(path: Path): Place {
    return this.#placeIn(this.#directories.reach(parentOf(path)), path);
  }

  /** Where `path` is already. @throws SyscallError: its directory is not there */
  find(path: Path): Place {
    return this.#placeIn(this.#directories.find(parentOf(path)), path);
  }

  /** The directory itself. */
  root(): Place {
    return { path: "", dir: this.#directories.reach(""), name: "." };
  }

  /** A path that leads to the directory of a place, inside and by no symlink out of it. */
  pathTo({ dir, path }: Place): string {
    // A jail has no /proc, but walks of whole paths are confined there.
    return isJailed() ? `/${joinPath(this.#target.base, parentOf(path))}` : `/proc/self/fd/${dir}`;
  }

  /** Makes something that is no directory; what is there goes first. */
  put<T>(place: Place, make: () => T): T {
    const made = this.#tryMake(make) ?? this.#makeInstead(place, make);
    this.#hiding.wrote(place.path);
    return made.result;
  }

  /** Makes a directory, or finds it there; anything else in its place goes. */
  putDirectory(place: Place): void {
    const isNew = tryMkdir(place);
    // Its entry may change what files get that are made in it.
    if (!isNew) this.asMade.forget();
    if (!isNew && !isDirectory(lstatat(place.dir, place.name, stat))) {
      if (this.#target.noOverwriteDirNonDir) {
        throw new InvalidParameter(`cannot overwrite non-directory ${quoted(place.path)} with directory`);
      }
      this.#putDirectoryFor(place);
    }
    this.#hiding.wrote(place.path);
  }

  /** Between two entries: places handed out before are used no more. */
  settle(): void {
    this.#directories.settle();
  }

  hide(path: Path, meta: Meta | undefined): void {
    const { dir, name } = this.place(path);
    this.#hiding.whiteout(dir, name, path, meta);
  }

  hideContent(path: Path): void {
    const directory = this.#directories.reach(path);
    if (path !== "") this.#hiding.wrote(path);
    this.#hiding.opaque(directory, path);
  }

  [Symbol.dispose](): void {
    this.#directories[Symbol.dispose]();
  }

  #placeIn(dir: number, path: Path): Place {
    const name = baseOf(path);
    if (name === "" || name === "." || name === ".." || path.includes("\0")) {
      throw new InvalidParameter(`${quoted(path)}: not a file name`);
    }
    return { path, dir, name };
  }

  /** @returns undefined: something is there */
  #tryMake<T>(make: () => T): { readonly result: T } | undefined {
    try {
      return { result: make() };
    } catch (error) {
      if (isErrno(error, "EEXIST")) return undefined;
      throw error;
    }
  }

  #makeInstead<T>(place: Place, make: () => T): { readonly result: T } {
    if (isDirectory(lstatat(place.dir, place.name, stat)) && this.#target.noOverwriteDirNonDir) {
      throw new InvalidParameter(`cannot overwrite directory ${quoted(place.path)} with non-directory`);
    }
    this.#clear(place);
    return { result: make() };
  }

  /** Removes what `stat` tells. */
  #clear({ dir, name, path }: Place): void {
    const wasFile = (stat.mode & S.IFMT) === S.IFREG;
    removeAt(dir, name, path, (gone, found) => this.#count(gone, found));
    if (!wasFile) this.#forget();
  }

  /** A directory, or a link to one, may be another now. */
  #forget(): void {
    this.#directories.forget();
    this.asMade.forget();
  }

  #count(path: Path, found: Stat): void {
    const type = found.mode & S.IFMT;
    const last = found.nlink === 1 && (type === S.IFREG || type === S.IFLNK);
    if (last && this.#hiding.owns(path)) this.bytesRemoved += found.size;
  }

  /** A whiteout hid a directory below as well: without it that one's content would show through. */
  #putDirectoryFor(place: Place): void {
    const wasWhiteout = this.#target.whiteouts === "overlay" && isWhiteout(stat);
    this.#clear(place);
    mkdirat(place.dir, place.name, 0o700);
    if (wasWhiteout) this.#hiding.opaque(this.#directories.find(place.path), place.path);
  }

  /** Makes a directory that no entry names. */
  #imply(dir: number, name: string, path: Path): void {
    const place = this.#placeIn(dir, path);
    if (!tryMkdir(place)) {
      if (!this.#hiding.givesWay(path, lstatat(dir, name, stat))) {
        throw new InvalidParameter(`${quoted(path)} is needed as a directory, but is something else`);
      }
      this.#putDirectoryFor(place);
    }
    const { owner = { uid: 0, gid: 0 }, impliedMode: mode } = this.#target;
    applyToDirectory(place, { ...owner, mode, mtimeNs: 0n, xattrs: new Map() }, this.#target);
    this.#hiding.wrote(path);
  }
}

function hidingOf(target: WriteTarget, removed: () => void): Hiding {
  const { whiteouts } = target;
  if (whiteouts === "overlay") return new HideByDevice(target);
  return whiteouts === "remove" ? new HideByRemoval(removed) : new HideNothing();
}

function tryMkdir({ dir, name }: Place): boolean {
  try {
    mkdirat(dir, name, 0o700);
    return true;
  } catch (error) {
    if (isErrno(error, "EEXIST")) return false;
    throw error;
  }
}
