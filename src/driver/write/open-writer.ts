import type { ChangeHead, Meta } from "../../overlayfs/index.js";
import { encodeName, InvalidParameter, isErrno, type Path, parentOf } from "../../spec/index.js";
import { linkat, lstatat, lutimesat, mknodat, O, openat, S, Stat, symlinkat } from "../../sys/index.js";
import type { LayerWriter, WriteTarget } from "../driver.js";
import { isDirectory, isWhiteout } from "../node-kind.js";
import { quoted } from "../quoted.js";
import { FileBody } from "../read/file-body.js";
import { applyToDirectory, applyToNode, type Place, timesOf } from "./apply-meta.js";
import { entryError } from "./entry-error.js";
import { Ground } from "./ground.js";
import { OwnFiles } from "./own-files.js";
import { takeContent } from "./take-content.js";
import { WritingFile } from "./writing-file.js";

/**
 * Opens a writer below `target.root`. The kernel keeps each step inside it (openat2 with RESOLVE_IN_ROOT), so that no
 * capability is needed; inside a `jail` it works on kernels without openat2 too.
 *
 * Within one layer a later entry replaces an earlier one of the same name, a directory joins a directory, and a
 * directory that takes the place of a whiteout is opaque. Refused by InvalidParameter: what the layer writes and then
 * deletes by a whiteout, hard links to what the layer does not hold, overlayfs's own xattrs, devices that would be
 * whiteouts. Times that the file system cannot hold become the nearest it can. `data` that does not add up to a
 * file's size is DataLoss; a full disk is Unavailable. After an error the writer can only be disposed.
 */
export function openWriter(target: WriteTarget): LayerWriter {
  return new Writer(target);
}

type Making<K extends ChangeHead["kind"]> = Extract<ChangeHead, { kind: K }>;

const created = O.O_RDWR | O.O_CREAT | O.O_EXCL | O.O_NOFOLLOW;
const stat = new Stat();

export class Writer implements LayerWriter {
  readonly #target: WriteTarget;
  readonly #ground: Ground;
  readonly #directoryTimes = new Map<Path, bigint>();
  #file: WritingFile | undefined;
  readonly #own: OwnFiles | undefined;
  #bytes = 0;
  /** As the heads of its entries say. */
  #fileBytes = 0;

  constructor(target: WriteTarget) {
    this.#target = target;
    this.#ground = new Ground(target);
    if (target.shared) this.#own = new OwnFiles(target);
  }

  change(change: ChangeHead): void {
    this.#endFile();
    this.#ground.settle();
    try {
      if (change.path === "") this.#changeRoot(change);
      else this.#change(change);
    } catch (error) {
      throw entryError(change.path, error);
    }
  }

  data(chunk: Uint8Array): void {
    if (!this.#file) throw new TypeError("data without a file");
    try {
      this.#file.write(chunk);
    } catch (error) {
      throw entryError(this.#file.path, error);
    }
  }

  *take(body: Iterable<Uint8Array>): Generator<Uint8Array, void, undefined> {
    if (!(body instanceof FileBody)) throw new TypeError("only the content of files that a walk gives can be taken");
    if (!this.#file) throw new TypeError("content without a file");
    try {
      yield* takeContent(body, this.#file);
    } catch (error) {
      throw entryError(this.#file.path, error);
    }
  }

  /** In place of `data`: all content of the file out of an open one. @returns bytes that could not be shared with it */
  clone(from: number): number {
    return this.#file?.clone(from) ?? 0;
  }

  /**
   * In place of a change, and of its data, that makes anything but a directory: the path becomes a further name of what
   * is elsewhere on the file system, and keeps its metadata.
   *
   * @returns false: it has as many names as the file system allows, or is on another one
   */
  adopt(change: ChangeHead, from: Pick<Place, "dir" | "name">): boolean {
    this.#endFile();
    this.#ground.settle();
    try {
      this.#directoryTimes.delete(change.path);
      const place = this.#ground.place(change.path);
      this.#ground.put(place, () => linkat(from.dir, from.name, place.dir, place.name));
    } catch (error) {
      if (isErrno(error, "EMLINK", "EXDEV")) return false;
      throw entryError(change.path, error);
    }
    if (change.kind === "symlink") this.#bytes += encodeName(change.target).length;
    if (change.kind === "file") {
      this.#bytes += change.size;
      this.#fileBytes += change.size;
    }
    return true;
  }

  finish(): number {
    this.#endFile();
    for (const [path, mtimeNs] of this.#directoryTimes) {
      this.#ground.settle();
      this.#setDirectoryTime(path, mtimeNs);
    }
    return this.#target.sizes === "entries" ? this.#fileBytes : this.#bytes - this.#ground.bytesRemoved;
  }

  [Symbol.dispose](): void {
    this.#file?.abandon();
    this.#file = undefined;
    this.#ground[Symbol.dispose]();
  }

  #changeRoot(change: ChangeHead): void {
    if (change.kind === "opaque") this.#ground.hideContent("");
    else if (change.kind !== "directory") throw new InvalidParameter(`the root of a layer cannot be a ${change.kind}`);
    else if (this.#target.rootMeta) {
      applyToDirectory(this.#ground.root(), change.meta, this.#target);
      this.#directoryTimes.set("", change.meta.mtimeNs);
    }
  }

  #change(change: ChangeHead): void {
    // Where the layer has had a directory until now, nothing else may get its time in the end.
    if (change.kind !== "directory" && change.kind !== "opaque") this.#directoryTimes.delete(change.path);
    if (change.kind === "file") this.#beginFile(change);
    else if (change.kind === "directory") this.#makeDirectory(change);
    else if (change.kind === "hardlink") this.#makeLink(change);
    else if (change.kind === "symlink") this.#makeSymlink(change);
    else if (change.kind === "char" || change.kind === "block") this.#makeDevice(change);
    else if (change.kind === "whiteout") this.#ground.hide(change.path, change.meta);
    else if (change.kind === "opaque") this.#ground.hideContent(change.path);
    else this.#makeNode(this.#ground.place(change.path), S.IFIFO, change.meta);
  }

  #beginFile({ path, meta, size }: Making<"file">): void {
    const place = this.#ground.place(path);
    const { asMade } = this.#ground;
    const mode = asMade.modeFor(meta, this.#target);
    const fd = this.#ground.put(place, () => openat(place.dir, place.name, created, mode));
    const isRight = asMade.isRight(parentOf(path), fd, mode, meta, this.#target);
    this.#file = new WritingFile(fd, path, meta, size, isRight);
    this.#bytes += size;
    this.#fileBytes += size;
  }

  #endFile(): void {
    const file = this.#file;
    if (!file) return;
    this.#file = undefined;
    try {
      file.finish(this.#target);
    } catch (error) {
      throw entryError(file.path, error);
    }
  }

  #makeDirectory({ path, meta }: Making<"directory" | "fifo">): void {
    const place = this.#ground.place(path);
    this.#ground.putDirectory(place);
    applyToDirectory(place, meta, this.#target);
    this.#directoryTimes.set(path, meta.mtimeNs);
  }

  #setDirectoryTime(path: Path, mtimeNs: bigint): void {
    try {
      const { dir, name } = path === "" ? this.#ground.root() : this.#ground.find(path);
      // The layer itself may have put something else in its place, or in that of a directory above it.
      if (isDirectory(lstatat(dir, name, stat))) lutimesat(dir, name, ...timesOf({ mtimeNs }));
    } catch (error) {
      if (!isErrno(error, "ENOENT", "ENOTDIR", "ELOOP")) throw entryError(path, error);
    }
  }

  #makeSymlink({ path, meta, target }: Making<"symlink">): void {
    if (target === "" || target.includes("\0")) throw new InvalidParameter(`${quoted(path)}: a symlink to no name`);
    const place = this.#ground.place(path);
    this.#ground.put(place, () => symlinkat(target, place.dir, place.name));
    this.#apply(place, meta);
    this.#bytes += encodeName(target).length;
  }

  /** As in Docker, the link's metadata becomes that of the file, which is one with all of its names. */
  #makeLink({ path, meta, to }: Making<"hardlink">): void {
    const place = this.#ground.place(path);
    const from = this.#linked(path, to);
    this.#own?.make(from);
    this.#ground.put(place, () => linkat(from.dir, from.name, place.dir, place.name));
    this.#apply(place, meta);
  }

  /** Finds what is to get another name. */
  #linked(path: Path, to: Path): Place {
    const wrong = (why: string) => new InvalidParameter(`${quoted(path)}: a hard link to ${quoted(to)}, which ${why}`);
    if (to === path) throw wrong("is itself");
    const missing = this.#target.whiteouts === "overlay" ? "this layer does not hold" : "is not there";
    try {
      const place = this.#ground.find(to);
      lstatat(place.dir, place.name, stat);
      if (isDirectory(stat)) throw wrong("is a directory");
      if (isWhiteout(stat) && this.#target.whiteouts === "overlay") throw wrong(missing);
      return place;
    } catch (error) {
      throw isErrno(error, "ENOENT", "ENOTDIR", "ELOOP") ? wrong(missing) : error;
    }
  }

  #makeDevice(change: Making<"char" | "block">): void {
    const { kind, path, meta, major, minor } = change;
    if (kind === "char" && major === 0 && minor === 0) {
      throw new InvalidParameter(`${quoted(path)}: a character device 0:0, which would hide what is below it`);
    }
    if (major > 0xfff || minor > 0xfffff) {
      throw new InvalidParameter(`${quoted(path)}: Linux has no device ${major}:${minor}`);
    }
    const type = kind === "char" ? S.IFCHR : S.IFBLK;
    this.#makeNode(this.#ground.place(path), type, meta, major, minor);
  }

  #makeNode(place: Place, type: number, meta: Meta, major = 0, minor = 0): void {
    try {
      this.#ground.put(place, () => mknodat(place.dir, place.name, type | 0o600, major, minor));
    } catch (error) {
      if (type !== S.IFIFO && this.#target.lenient && isErrno(error, "EPERM")) return;
      throw error;
    }
    this.#apply(place, meta);
  }

  #apply(place: Place, meta: Meta): void {
    applyToNode(place, this.#ground.pathTo(place), meta, this.#target);
  }
}
