import { joinPath, type Path } from "../../spec/index.js";
import {
  AT_FDCWD,
  close,
  fgetxattr,
  fsetxattr,
  fstat,
  futimens,
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
import { isDirectory } from "../node-kind.js";
import { ifThere } from "../read/directory.js";
import { metaOf } from "../read/node-reader.js";
import { allXattrs, xattrsOf } from "../read/xattrs.js";
import { applyToFile, applyToNode } from "../write/apply-meta.js";
import { copyFile } from "../write/copy-file.js";

const flags = O.O_RDONLY | O.O_DIRECTORY | O.O_NOFOLLOW;
const owners = { lenient: false };
const stat = new Stat();

export interface OverInit {
  /** Upper directory of the init layer. */
  readonly init: string;
  /** Upper directory of the container's own layer. */
  readonly upper: string;
  /** Prefix of overlayfs's own xattrs. */
  readonly xattrPrefix: string;
}

/**
 * Has an upper directory that lay upon the image alone lie upon the init layer: until now it held that one's files
 * itself, and those that it does not have any more were deleted: they get a whiteout. @see docker-data-root 3.2
 */
export function hideFromInit(trees: OverInit): void {
  onBoth(trees, (init, upper) => new Walk(trees, "hide").directory(init, upper, ""));
}

/** The reverse: has an upper directory that lay upon the init layer lie upon the image alone, with that one's files. */
export function fillFromInit(trees: OverInit): void {
  onBoth(trees, (init, upper) => new Walk(trees, "fill").directory(init, upper, ""));
}

class Walk {
  readonly #opaque: string;
  readonly #way: "hide" | "fill";

  constructor({ xattrPrefix }: OverInit, way: "hide" | "fill") {
    this.#opaque = `${xattrPrefix}opaque`;
    this.#way = way;
  }

  /** What the upper directory hides of the layers below, it hides of all of them. */
  directory(init: number, upper: number, path: Path): void {
    if (fgetxattr(upper, this.#opaque) !== undefined) return;
    const before = metaOf(fstat(upper, stat));
    this.#content(init, upper, path);
    futimens(upper, before.mtimeNs, before.mtimeNs);
  }

  #content(init: number, upper: number, path: Path): void {
    const mark = this.#way === "fill" ? fgetxattr(init, this.#opaque) : undefined;
    if (mark !== undefined) fsetxattr(upper, this.#opaque, mark);
    for (const { name } of readDirectory(init)) {
      const found = ifThere(() => lstatat(upper, name, stat));
      if (found === undefined) this.#missing(init, upper, name, joinPath(path, name));
      else if (isDirectory(found) && isDirectory(lstatat(init, name, stat))) {
        onInner(init, upper, name, (...both) => this.directory(...both, joinPath(path, name)));
      }
    }
  }

  #missing(init: number, upper: number, name: string, path: Path): void {
    if (this.#way === "hide") mknodat(upper, name, S.IFCHR, 0, 0);
    else if (isDirectory(lstatat(init, name, stat))) this.#copyDirectory(init, upper, name, path);
    else copyNode(init, upper, name, path);
  }

  #copyDirectory(init: number, upper: number, name: string, path: Path): void {
    mkdirat(upper, name, 0o700);
    onInner(init, upper, name, (from, to) => {
      this.#content(from, to, path);
      applyToFile(to, path, metaOf(fstat(from, stat), xattrsOf(from, "all")), owners);
    });
  }
}

function copyNode(from: number, to: number, name: string, path: Path): void {
  const place = { dir: to, name, path };
  const type = lstatat(from, name, stat).mode & S.IFMT;
  if (type === S.IFREG) {
    const source = openat(from, name, O.O_RDONLY | O.O_NOFOLLOW);
    try {
      copyFile(source, place, owners);
    } finally {
      close(source);
    }
    return;
  }
  const meta = metaOf(stat, allXattrs(from, name));
  if (type === S.IFLNK) symlinkat(readlinkat(from, name), to, name);
  else mknodat(to, name, type | 0o600, stat.rdevMajor, stat.rdevMinor);
  applyToNode(place, `/proc/self/fd/${to}`, meta, owners);
}

function onBoth({ init, upper }: OverInit, work: (init: number, upper: number) => void): void {
  onOpen(openat(AT_FDCWD, init, flags), openat(AT_FDCWD, upper, flags), work);
}

function onInner(init: number, upper: number, name: string, work: (init: number, upper: number) => void): void {
  onOpen(openat(init, name, flags), openat(upper, name, flags), work);
}

function onOpen(init: number, upper: number, work: (init: number, upper: number) => void): void {
  try {
    work(init, upper);
  } finally {
    close(init);
    close(upper);
  }
}
