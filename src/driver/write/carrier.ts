import type { ChangeHead, Meta } from "../../overlayfs/index.js";
import { DataLoss, type Path, parentOf } from "../../spec/index.js";
import { close, lstatat, O, openat, S, Stat } from "../../sys/index.js";
import type { WriteTarget } from "../driver.js";
import { isDirectory, isWhiteout } from "../node-kind.js";
import { quoted } from "../quoted.js";
import { ifThere } from "../read/directory.js";
import { FilesInside } from "../read/files-inside.js";
import { metaOf } from "../read/node-reader.js";
import { allXattrs } from "../read/xattrs.js";
import type { Place } from "./apply-meta.js";
import { Writer } from "./open-writer.js";

type Head<K extends ChangeHead["kind"]> = Extract<ChangeHead, { kind: K }>;
type Found = Pick<Place, "dir" | "name">;

const flags = O.O_RDONLY | O.O_NOFOLLOW | O.O_NONBLOCK;
const stat = new Stat();

/**
 * Writes a layer that is on disk already, in the tree of another driver. What is no directory gets a further name; files
 * are copied where the file system allows no more. Directories become as they are in that tree, also those that the
 * layer holds without naming them. Synchronous: for worker threads.
 */
export class Carrier implements Disposable {
  /** Of file content, as far as it could be neither linked nor shared. */
  bytesCopied = 0;
  readonly #content: FilesInside;
  readonly #writer: Writer;
  readonly #links: boolean;
  readonly #named = new Set<Path>([""]);
  readonly #copied = new Set<Path>();

  /**
   * @param content the tree that has the files
   * @param links whether files may be one with those of `content`: only where nobody will write to either
   */
  constructor(content: string, target: WriteTarget, links: boolean) {
    this.#content = new FilesInside(content);
    this.#writer = new Writer(target);
    this.#links = links;
  }

  /** @throws as a `LayerWriter`; DataLoss: the file is not in the tree */
  change(change: ChangeHead): void {
    this.#imply(parentOf(change.path));
    if (change.kind === "file") this.#file(change);
    else if (change.kind === "directory") this.#directory(change);
    else if (!this.#link(change)) this.#writer.change(change);
  }

  /** @see LayerWriter.finish */
  finish(): number {
    return this.#writer.finish();
  }

  [Symbol.dispose](): void {
    this.#writer[Symbol.dispose]();
    this.#content[Symbol.dispose]();
  }

  #file(change: Head<"file">): void {
    const from = this.#find(change.path, S.IFREG);
    if (!from) throw new DataLoss(`${quoted(change.path)}: the layer's directory does not have this file any more`);
    if (this.#links && this.#writer.adopt(change, from)) return;
    this.#writer.change(change);
    this.#copied.add(change.path);
    const fd = openat(from.dir, from.name, flags);
    try {
      this.bytesCopied += this.#writer.clone(fd);
    } finally {
      close(fd);
    }
  }

  #directory(change: Head<"directory" | "fifo">): void {
    this.#named.add(change.path);
    const meta = this.#metaOf(change.path);
    this.#writer.change(meta ? { ...change, meta: { ...meta, mtimeNs: change.meta.mtimeNs } } : change);
  }

  /** @returns false: it is to be made anew */
  #link(change: ChangeHead): boolean {
    if (!this.#links || change.kind === "whiteout" || change.kind === "opaque") return false;
    if (change.kind === "hardlink" && this.#copied.has(change.to)) return false;
    const from = this.#find(change.path, change.kind === "hardlink" ? undefined : types[change.kind]);
    return from !== undefined && this.#writer.adopt(change, from);
  }

  /** What the layer's archive does not name was made by the driver, or is of a layer below. */
  #imply(path: Path): void {
    if (this.#named.has(path)) return;
    this.#imply(parentOf(path));
    this.#named.add(path);
    const meta = this.#metaOf(path);
    if (meta) this.#writer.change({ kind: "directory", path, meta });
  }

  /** @param type undefined: anything that can have several names */
  #find(path: Path, type: number | undefined): Found | undefined {
    const place = this.#stat(path);
    if (!place || isWhiteout(stat) || isDirectory(stat)) return undefined;
    return type === undefined || (stat.mode & S.IFMT) === type ? place : undefined;
  }

  #metaOf(path: Path): Meta | undefined {
    const place = this.#stat(path);
    return place && isDirectory(stat) ? metaOf(stat, allXattrs(place.dir, place.name)) : undefined;
  }

  /** Where it is; `stat` tells of it then. */
  #stat(path: Path): Found | undefined {
    return ifThere(() => {
      const place = this.#content.place(path);
      lstatat(place.dir, place.name, stat);
      return place;
    });
  }
}

const types = {
  file: S.IFREG,
  directory: S.IFDIR,
  symlink: S.IFLNK,
  char: S.IFCHR,
  block: S.IFBLK,
  fifo: S.IFIFO,
} as const;
