import type { Path } from "../spec/index.js";
import type { Meta } from "./change.js";
import { absent, type Entry, isDirectoryEntry, type Present, parentOf, present, resolve } from "./entry.js";
import { FileSystemError } from "./file-system-error.js";
import { type Found, list, lookup } from "./lookup.js";
import { merge } from "./merge.js";
import { directoryOf, type OwnInode } from "./own.js";
import { rename } from "./rename.js";
import type { Device, Fifo, RegularFile, Symlink, Tree } from "./tree.js";
import { snapshot, Upper, withMeta } from "./upper.js";

export interface OverlayOptions {
  /** The upper layer to begin with; an empty one when left out. */
  readonly upper?: Tree;
  /** `redirect_dir=on`: directories of lower layers can be renamed. Docker leaves it off. */
  readonly redirectDir?: boolean;
  /** What is written gets this time, in nanoseconds since 1970. */
  readonly now?: () => bigint;
  /** Who makes what is made. */
  readonly uid?: number;
  readonly gid?: number;
}

/** What a file holds. */
export type FileContent = Pick<RegularFile, "size" | "content">;

/**
 * A model of a writable overlay mount, as root sees it: the operations of processes in the merged view, their errors
 * (`FileSystemError`), and what they leave in the upper layer. Operations act on the name itself: symlinks are not
 * followed, one on the way is ELOOP. Without `index`, `metacopy` and `xino=on`, as Docker mounts.
 */
export class Overlay {
  readonly #layers: readonly Tree[];
  readonly #upper: Upper;
  readonly #redirectDir: boolean;
  readonly #now: () => bigint;
  readonly #owner: { readonly uid: number; readonly gid: number };

  /** @param lowers bottom first */
  constructor(
    lowers: readonly Tree[],
    { upper, redirectDir = false, now = () => 0n, uid = 0, gid = 0 }: OverlayOptions = {},
  ) {
    const meta: Meta = { mode: 0o755, uid, gid, mtimeNs: now(), xattrs: new Map() };
    this.#upper = new Upper(upper ? snapshot(upper) : directoryOf(meta), lowers.length);
    this.#layers = [...lowers, this.#upper.tree];
    this.#redirectDir = redirectDir;
    this.#now = now;
    this.#owner = { uid, gid };
  }

  /** The upper layer as it is now; later operations do not change it. */
  upper(): Tree {
    return snapshot(this.#upper.tree);
  }

  /** The merged view as it is now. */
  view(): Tree {
    return snapshot(merge(this.#layers));
  }

  lookup(path: Path): Found | undefined {
    return lookup(this.#layers, path);
  }

  mkdir(path: Path, mode: number): void {
    const entry = absent(this.#at(path));
    const parent = parentOf(entry);
    const hidden = this.#upper.directory(parent).entries.get(entry.name)?.kind === "whiteout";
    const made = directoryOf(this.#newMeta(parent, mode & 0o1777, true));
    // With redirects about, a new directory in a merged one must not be mistaken for a part of it.
    const alone = this.#redirectDir && this.#upper.lowersOf(parent).length > 0;
    if (hidden || alone) made.opaque = true;
    this.#put(entry, made);
  }

  /** Makes a new file. */
  create(path: Path, mode: number, content: FileContent = { size: 0, content: "" }): void {
    this.#make(path, mode, { kind: "file", ...content });
  }

  symlink(path: Path, target: string): void {
    this.#make(path, 0o777, { kind: "symlink", target });
  }

  mkfifo(path: Path, mode: number): void {
    this.#make(path, mode, { kind: "fifo" });
  }

  /** @throws FileSystemError: EPERM, the numbers 0:0 of a whiteout */
  mkdev(path: Path, mode: number, device: Omit<Device, "meta">): void {
    const entry = absent(this.#at(path));
    if (device.kind === "char" && device.major === 0 && device.minor === 0) {
      throw new FileSystemError("EPERM", entry.path, "0:0 is a whiteout's number");
    }
    this.#make(path, mode, device);
  }

  /** Opens a file for writing, which copies it up even if nothing is written. */
  open(path: Path): void {
    this.#upper.copyUp(this.#writable(present(this.#at(path))));
  }

  /** Gives a file other content. @throws FileSystemError: EISDIR; ELOOP, a symlink; ENXIO, a fifo or device */
  write(path: Path, content: FileContent): void {
    const inode = this.#upper.copyUp(this.#writable(present(this.#at(path))));
    Object.assign(inode, content);
    this.#touch(inode);
  }

  /** Gives what is at `from` another name. */
  link(from: Path, to: Path): void {
    const source = present(this.#at(from));
    const entry = absent(this.#at(to));
    if (isDirectoryEntry(source)) throw new FileSystemError("EPERM", from, "a directory has one name only");
    this.#put(entry, this.#upper.copyUp(source));
  }

  unlink(path: Path): void {
    const entry = present(this.#at(path));
    if (isDirectoryEntry(entry)) throw new FileSystemError("EISDIR", path, "is a directory");
    this.#remove(entry);
  }

  rmdir(path: Path): void {
    const entry = present(this.#at(path));
    if (!isDirectoryEntry(entry)) throw new FileSystemError("ENOTDIR", path, "not a directory");
    parentOf(entry);
    if (list(this.#layers, entry.found).size > 0) throw new FileSystemError("ENOTEMPTY", path, "directory not empty");
    this.#remove(entry);
  }

  rename(from: Path, to: Path): void {
    const [source, target] = [this.#at(from), this.#at(to)];
    const context = { layers: this.#layers, upper: this.#upper, redirectDir: this.#redirectDir };
    if (!rename(context, source, target)) return;
    for (const { parent } of [source, target]) this.#touch(this.#upper.directory(parentOf({ ...source, parent })));
  }

  /** @throws FileSystemError: EOPNOTSUPP, a symlink has no mode */
  chmod(path: Path, mode: number): void {
    const entry = present(this.#at(path));
    const { kind } = entry.found.inode;
    if (kind === "symlink") throw new FileSystemError("EOPNOTSUPP", path, "a symlink has no mode");
    withMeta(this.#upper.copyUp(entry), { mode });
  }

  /** Also takes setuid away, and setgid from what its group may execute, but not from directories. */
  chown(path: Path, uid: number, gid: number): void {
    const inode = this.#upper.copyUp(present(this.#at(path)));
    if (inode.kind === "whiteout") return;
    const { mode } = inode.meta;
    const drop = inode.kind === "directory" ? 0 : mode & 0o010 ? 0o6000 : 0o4000;
    withMeta(inode, { uid, gid, mode: mode & ~drop });
  }

  utimes(path: Path, mtimeNs: bigint): void {
    withMeta(this.#upper.copyUp(present(this.#at(path))), { mtimeNs });
  }

  /** @throws FileSystemError: EPERM, `user.` on what is neither file nor directory */
  setXattr(path: Path, name: string, value: Uint8Array): void {
    const inode = this.#upper.copyUp(this.#bearer(path, name));
    if (inode.kind !== "whiteout") withMeta(inode, { xattrs: new Map(inode.meta.xattrs).set(name, value) });
  }

  /** @throws FileSystemError: ENODATA, there is none; EPERM, `user.` on what is neither file nor directory */
  removeXattr(path: Path, name: string): void {
    const entry = this.#bearer(path, name);
    const xattrs = new Map(entry.found.inode.meta.xattrs);
    if (!xattrs.delete(name)) throw new FileSystemError("ENODATA", path, "no such xattr");
    withMeta(this.#upper.copyUp(entry), { xattrs });
  }

  #at(path: Path): Entry {
    return resolve(this.#layers, path);
  }

  #make(
    path: Path,
    mode: number,
    what: Omit<RegularFile, "meta"> | Omit<Symlink, "meta"> | Omit<Fifo, "meta"> | Omit<Device, "meta">,
  ): void {
    const entry = absent(this.#at(path));
    this.#put(entry, { ...what, meta: this.#newMeta(parentOf(entry), mode & 0o7777, false) });
  }

  #put(entry: Entry, inode: OwnInode): void {
    const parent = this.#upper.directory(parentOf(entry));
    parent.entries.set(entry.name, inode);
    this.#touch(parent);
  }

  #remove(entry: Present): void {
    this.#upper.remove(entry);
    this.#touch(this.#upper.directory(parentOf(entry)));
  }

  #touch(inode: OwnInode): void {
    withMeta(inode, { mtimeNs: this.#now() });
  }

  /** What is made in a setgid directory gets its group; a directory passes the bit on. */
  #newMeta(parent: Present, mode: number, directory: boolean): Meta {
    const { meta } = parent.found.inode;
    const inherits = (meta.mode & 0o2000) !== 0;
    const gid = inherits ? meta.gid : this.#owner.gid;
    const bits = inherits && directory ? mode | 0o2000 : mode;
    return { mode: bits, uid: this.#owner.uid, gid, mtimeNs: this.#now(), xattrs: new Map() };
  }

  #writable(entry: Present): Present {
    const { kind } = entry.found.inode;
    if (kind === "file") return entry;
    if (kind === "directory") throw new FileSystemError("EISDIR", entry.path, "is a directory");
    if (kind === "symlink") throw new FileSystemError("ELOOP", entry.path, "is a symlink");
    throw new FileSystemError("ENXIO", entry.path, "nobody is at the other end");
  }

  #bearer(path: Path, name: string): Present {
    const entry = present(this.#at(path));
    const { kind } = entry.found.inode;
    if (name.startsWith("user.") && kind !== "file" && kind !== "directory") {
      throw new FileSystemError("EPERM", path, `a ${kind} has no user xattrs`);
    }
    return entry;
  }
}
