import { baseOf, isErrno, joinPath, type Path, parentOf, Unavailable } from "../../spec/index.js";
import { AT_FDCWD, close, O, openat } from "../../sys/index.js";
import { openInRoot } from "../in-root.js";
import { isJailed } from "./jail.js";

/** Opens directory `path` as seen from `root`, never one outside of it. */
export type OpenDirectory = (root: number, path: Path) => number;

export type MakeDirectory = (dir: number, name: string, path: Path) => void;

const flags = O.O_PATH | O.O_DIRECTORY;

/** Each step of the walk, links included, is kept below `root` by the kernel. */
export const inRoot: OpenDirectory = (root, path) => {
  try {
    return openInRoot(root, path, flags);
  } catch (error) {
    if (!isErrno(error, "ENOSYS")) throw error;
    if (isJailed()) return inJail(root, path);
    throw new Unavailable("layers cannot be unpacked safely: Linux 5.6 (openat2) or CAP_SYS_CHROOT is needed");
  }
};

/** For a thread whose root directory is `root`. */
export const inJail: OpenDirectory = (_root, path) => openat(AT_FDCWD, `/${path}`, flags);

// Entries come clustered by directory; what is open beyond this would only use up file descriptors.
const mostOpen = 64;

/** The directories that things are written into, as descriptors that stay open for a while. */
export class Directories implements Disposable {
  readonly #root: number;
  readonly #base: Path;
  readonly #openDirectory: OpenDirectory;
  readonly #make: MakeDirectory;
  readonly #open = new Map<Path, number>();
  #retired: number[] = [];

  /**
   * @param base where below `root` all paths begin
   * @param make makes directory `name` of `dir` for want of one; what is there already it may replace
   */
  constructor(root: string, base: Path, make: MakeDirectory, openDirectory: OpenDirectory = inRoot) {
    this.#root = openat(AT_FDCWD, root, flags);
    this.#base = base;
    this.#make = make;
    this.#openDirectory = openDirectory;
  }

  /**
   * The directory at `path`, made with those above it when missing.
   *
   * @returns an O_PATH descriptor, open until the next `settle`
   */
  reach(path: Path): number {
    return this.#open.get(path) ?? this.#tryOpen(path) ?? this.#makeThenOpen(path);
  }

  /** As `reach`, but makes nothing. @throws SyscallError: ENOENT, ENOTDIR, ELOOP */
  find(path: Path): number {
    return this.#open.get(path) ?? this.#keep(path, this.#openDirectory(this.#root, joinPath(this.#base, path)));
  }

  /** Something that may have been a directory, or a link to one, is gone: what is open may be out of date. */
  forget(): void {
    this.#retired.push(...this.#open.values());
    this.#open.clear();
  }

  /** Between two entries: descriptors handed out before may be closed now. */
  settle(): void {
    if (this.#retired.length === 0) return;
    for (const fd of this.#retired.splice(0)) close(fd);
  }

  [Symbol.dispose](): void {
    this.forget();
    this.settle();
    close(this.#root);
  }

  #tryOpen(path: Path): number | undefined {
    try {
      return this.find(path);
    } catch (error) {
      // ENOTDIR may be something in the way that `make` replaces.
      if (path !== "" && isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
      throw error;
    }
  }

  #makeThenOpen(path: Path): number {
    this.#make(this.reach(parentOf(path)), baseOf(path), path);
    return this.find(path);
  }

  #keep(path: Path, fd: number): number {
    if (this.#open.size >= mostOpen) {
      const [oldest, oldFd] = this.#open.entries().next().value as [Path, number];
      this.#open.delete(oldest);
      this.#retired.push(oldFd);
    }
    this.#open.set(path, fd);
    return fd;
  }
}
