import { Conflict, isErrno, joinPath, type Path } from "../../spec/index.js";
import {
  AT_FDCWD,
  close,
  DT,
  fgetxattr,
  fsetxattr,
  fstat,
  linkat,
  lstatat,
  mkdirat,
  mknodat,
  O,
  openat,
  readDirectory,
  readlinkat,
  S,
  Stat,
  symlinkat,
} from "../../sys/index.js";
import { ownersAreLimited } from "../checks/user-namespace.js";
import { quoted } from "../quoted.js";
import { metaOf } from "../read/node-reader.js";
import { allXattrs, xattrsOf } from "../read/xattrs.js";
import { applyToFile, applyToNode } from "../write/apply-meta.js";
import { copyFile } from "../write/copy-file.js";
import type { Owners } from "../write/owner-on-disk.js";
import type { Trees } from "./copy-tree.js";

const directory = O.O_RDONLY | O.O_DIRECTORY | O.O_NOFOLLOW;
const stat = new Stat();

/**
 * Makes a tree again without its content: each file gets a further name, and is from then on never to be written to or
 * given other metadata. All else is made anew, with owner, mode, time and xattrs: directories, symlinks, devices, fifos,
 * sockets. A file that has as many names as the file system allows is copied. Synchronous: for a worker thread.
 *
 * Of an upper directory of overlayfs (`overlay`) everything that is no directory gets a further name, and its
 * directories keep their marks.
 *
 * @returns bytes of content that were copied
 * @throws Conflict: overlayfs has renamed a directory of it, whose content is found by its old path
 * @see docker-data-root 3.4
 */
export function linkTree({ from, to, overlay }: Trees): number {
  const source = openat(AT_FDCWD, from, O.O_RDONLY | O.O_DIRECTORY);
  try {
    const root = openat(AT_FDCWD, to, O.O_RDONLY | O.O_DIRECTORY);
    try {
      const linking = new Linking(root, overlay);
      linking.directory(source, root, "");
      return linking.bytesCopied;
    } finally {
      close(root);
    }
  } finally {
    close(source);
  }
}

class Linking {
  bytesCopied = 0;
  readonly #overlay: string | undefined;
  readonly #root: number;
  readonly #owners: Owners = { lenient: ownersAreLimited() };
  /** Files that could get no further name, by inode: what they have been copied to. */
  readonly #copies = new Map<bigint, Path>();

  constructor(root: number, overlay: string | undefined) {
    this.#root = root;
    this.#overlay = overlay;
  }

  /** Fills directory `to`, which is at `path`, like `from`; its own metadata last. */
  directory(from: number, to: number, path: Path): void {
    for (const { name, type } of readDirectory(from)) {
      const inner = joinPath(path, name);
      if (type === DT.DIR) this.#subdirectory(from, to, name, inner);
      else if (type === DT.REG) this.#file(from, to, name, inner);
      else if (this.#overlay === undefined || !linked(from, to, name)) this.#special(from, to, name, inner);
    }
    if (this.#overlay !== undefined) keepMarks(from, to, path, this.#overlay);
    const meta = metaOf(fstat(from, stat), xattrsOf(from, "all"));
    applyToFile(to, path, meta, this.#owners);
  }

  #subdirectory(from: number, to: number, name: string, path: Path): void {
    mkdirat(to, name, 0o700);
    const source = openat(from, name, directory);
    try {
      const made = openat(to, name, directory);
      try {
        this.directory(source, made, path);
      } finally {
        close(made);
      }
    } finally {
      close(source);
    }
  }

  #file(from: number, to: number, name: string, path: Path): void {
    if (!linked(from, to, name)) this.#copy(from, to, name, path);
  }

  /** What had several names has them again, as far as it could not be linked. */
  #copy(from: number, to: number, name: string, path: Path): void {
    const { ino } = lstatat(from, name, stat);
    const copy = this.#copies.get(ino);
    if (copy !== undefined) {
      linkat(this.#root, copy, to, name);
      return;
    }
    const source = openat(from, name, O.O_RDONLY | O.O_NOFOLLOW);
    try {
      this.bytesCopied += copyFile(source, { dir: to, name, path }, this.#owners);
      this.#copies.set(ino, path);
    } finally {
      close(source);
    }
  }

  #special(from: number, to: number, name: string, path: Path): void {
    lstatat(from, name, stat);
    const type = stat.mode & S.IFMT;
    const meta = metaOf(stat, allXattrs(from, name));
    if (type === S.IFLNK) symlinkat(readlinkat(from, name), to, name);
    else mknodat(to, name, type | 0o600, stat.rdevMajor, stat.rdevMinor);
    applyToNode({ dir: to, name, path }, `/proc/self/fd/${to}`, meta, this.#owners);
  }
}

/** @returns false: it has as many names as the file system allows */
function linked(from: number, to: number, name: string): boolean {
  try {
    linkat(from, name, to, name);
    return true;
  } catch (error) {
    if (isErrno(error, "EMLINK")) return false;
    throw error;
  }
}

/** What overlayfs notes at a directory of an upper layer, but for what it finds by inode numbers of the lower ones. */
function keepMarks(from: number, to: number, path: Path, prefix: string): void {
  if (fgetxattr(from, `${prefix}redirect`) !== undefined) {
    const what = "commit or export the container first";
    throw new Conflict(
      `${quoted(path)}: a directory that was renamed with redirect_dir=on cannot be taken along: ${what}`,
    );
  }
  for (const mark of ["opaque", "impure"]) {
    const value = fgetxattr(from, `${prefix}${mark}`);
    if (value !== undefined) fsetxattr(to, `${prefix}${mark}`, value);
  }
}
