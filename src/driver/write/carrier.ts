import type { ChangeHead } from "../../overlayfs/index.js";
import { baseOf, DataLoss, InvalidParameter, type Path, parentOf } from "../../spec/index.js";
import { close, lstatat, O, openat, S, Stat } from "../../sys/index.js";
import type { WriteTarget } from "../driver.js";
import { isDirectory } from "../node-kind.js";
import { quoted } from "../quoted.js";
import { ifThere } from "../read/directory.js";
import { FilesInside } from "../read/files-inside.js";
import { metaOf } from "../read/node-reader.js";
import { allXattrs } from "../read/xattrs.js";
import { Writer } from "./open-writer.js";

type Head<K extends ChangeHead["kind"]> = Extract<ChangeHead, { kind: K }>;

const flags = O.O_RDONLY | O.O_NOFOLLOW | O.O_NONBLOCK;
const stat = new Stat();

/**
 * Writes a layer whose files are on disk already, in the tree of another driver: each gets a further name, or is copied
 * where the file system allows no more. A directory that the layer holds without naming it becomes as it is in that
 * tree. Synchronous: for worker threads.
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
    else if (change.kind === "hardlink") this.#link(change);
    else this.#writer.change(change);
    if (change.kind === "directory") this.#named.add(change.path);
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
    const from = this.#find(change.path);
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

  #link(change: Head<"hardlink">): void {
    const isOne = this.#links && !this.#copied.has(change.to);
    if (!isOne || !this.#writer.adopt(change, this.#find(change.path))) this.#writer.change(change);
  }

  #find(path: Path): { readonly dir: number; readonly name: string } {
    const place = ifThere(() => this.#content.place(path));
    const found = place && ifThere(() => lstatat(place.dir, place.name, stat));
    if (found && (found.mode & S.IFMT) === S.IFREG) return place;
    throw new DataLoss(`${quoted(path)}: the layer's directory does not have this file any more`);
  }

  /** What the layer's archive does not name was made by the driver, or is of a layer below. */
  #imply(path: Path): void {
    if (this.#named.has(path)) return;
    this.#imply(parentOf(path));
    this.#named.add(path);
    const place = ifThere(() => this.#content.place(path));
    const found = place && ifThere(() => lstatat(place.dir, baseOf(path), stat));
    if (!found || !isDirectory(found)) return;
    const meta = metaOf(found, allXattrs(place.dir, place.name));
    try {
      this.#writer.change({ kind: "directory", path, meta });
    } catch (error) {
      // A whiteout above it, in the same layer: the change itself will tell.
      if (!(error instanceof InvalidParameter)) throw error;
    }
  }
}
