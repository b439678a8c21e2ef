import type { Change, ChangeSink } from "../overlayfs/index.js";
import type { CacheID, Path } from "../spec/index.js";

/**
 * Layers as directories on disk. Knows parents and mounts; knows no digest, tar or image. All ids are of one driver
 * home; every method may be called at the same time as any other, calls for one id wait for each other.
 */
export interface Driver {
  /** `overlay2`, `overlay` or `vfs`: the name of its home under the data root and in `image/NAME`. */
  readonly name: string;
  /** What `docker info` shows under the driver, in order. */
  readonly status: readonly (readonly [key: string, value: string])[];
  /** What `docker info` warns of, a line each. */
  readonly warnings?: readonly string[];
  /** Of file content copied so far, where layers begin as copies: what could be neither linked nor shared. */
  readonly bytesCopied?: number;
  /** Most layers one chain may have, the topmost included. */
  readonly maxDepth: number;
  /**
   * Makes an empty layer over `parent`, or over nothing.
   *
   * @throws AlreadyExists: `id` is there; NotFound: no such parent; InvalidParameter: "max depth exceeded",
   * unknown or unusable storage option
   */
  create(id: CacheID, parent?: CacheID, options?: CreateOptions): Promise<void>;
  /** Whether the layer is there. */
  has(id: CacheID): Promise<boolean>;
  /** Ids of all layers in the home, in no order; what is no layer is left out. */
  list(): Promise<CacheID[]>;
  /**
   * Deletes the layer; an absent one is no error. What a crash left mounted of it is unmounted. Layers made upon it
   * are not looked for: that is the caller's to know.
   *
   * @throws Conflict: it is mounted through this driver, or being filled
   */
  remove(id: CacheID): Promise<void>;

  /**
   * Opens a fresh layer to be filled. The place may be handed to a worker thread, which fills it by `openWriter`.
   * After `commit` the content belongs to the layer; disposed without, nothing of it does.
   *
   * @throws NotFound; Conflict: the layer has content, is mounted or being filled
   */
  fill(id: CacheID): Promise<Filling>;
  /**
   * Puts a layer that was made over nothing, and filled through this driver, upon `parent`: it is then as if it had
   * been made and filled there. So the layers of an image can be filled all at once, and in any order. Absent where
   * what a layer is on disk depends on those below it: there `create` wants a parent that is complete.
   *
   * It can be repeated, with another parent too; layers upon `id` have to be attached again after it. On a failure
   * the layer is over nothing.
   *
   * @throws NotFound; Conflict: `id` is mounted, read or being filled; InvalidParameter "max depth exceeded"
   */
  attach?(id: CacheID, parent: CacheID): Promise<void>;
  /**
   * What `id` changes over its parent, in byte-wise lexical order, a directory before what is in it; read lazily.
   * This is what a commit of the layer records: of xattrs only `security.capability`; sockets are left out.
   */
  diff(id: CacheID): AsyncIterable<Change>;
  /** As `diff`, to be read by a worker thread: `readDiff` of its `source` gives the changes, until disposed. */
  openDiff(id: CacheID): Promise<OpenDiff>;
  /** The directory with the files that were filled into `id`, which stays until disposed. @throws as `openDiff` */
  openContent(id: CacheID): Promise<OpenContent>;
  /**
   * The paths in which the merged view of `id` differs from that of its parent, in the order of `diff`, each directory
   * above a difference as modified: what `docker diff` lists. Copied-up files that equal their original are left out.
   */
  changes(id: CacheID): AsyncIterable<PathChange>;
  /** Bytes `id` holds over its parent: file sizes and link target lengths, each inode once. */
  diffSize(id: CacheID): Promise<number>;

  /**
   * The merged view, until disposed. All mounts of one id share one kernel mount, counted: a layer that others were
   * made upon is mounted read-only where the driver can tell, a topmost one read-write.
   */
  mount(id: CacheID): Promise<Mounted>;
  /** Where the layer lies on disk, in Docker's keys for `GraphDriver.Data`. @throws NotFound */
  metadata(id: CacheID): Promise<Record<string, string>>;

  /**
   * Unmounts all that is left mounted below the home, deepest first. The driver is not used afterwards.
   *
   * @param keep layers that stay as they are mounted: what runs on them goes on
   */
  close(keep?: readonly CacheID[]): Promise<void>;
}

export interface DriverOptions {
  /** Storage options as `--storage-opt` and daemon.json give them, `KEY=VALUE`. */
  readonly storageOptions?: readonly string[];
  /** Nothing is written or tried: for looking at a home that another process may be using. Its layers are not mounted. */
  readonly readOnly?: boolean;
  /** Told one line for each thing that works less well than it could. */
  readonly warn?: (line: string) => void;
}

export interface CreateOptions {
  /** Storage options of a writable layer, as `docker create --storage-opt` gives them. Image layers have none. */
  readonly storage?: Readonly<Record<string, string>>;
}

/** A mounted layer. Dispose it as often as it was mounted; the last one unmounts. */
export interface Mounted extends AsyncDisposable {
  /** Absolute path of the merged tree. */
  readonly path: string;
}

/** A layer that is being filled. */
export interface Filling extends AsyncDisposable {
  readonly target: WriteTarget;
  /**
   * From here on the layer has its content. Layers upon each other are committed bottom first.
   *
   * @returns the absolute path of the directory that has it now
   */
  commit(): Promise<string>;
}

/** Where and how changes are written: plain data, so that it can be sent to a worker thread. */
export interface WriteTarget {
  /** Absolute path of the directory that is `/` for everything written: no path, link or symlink leads out of it. */
  readonly root: string;
  /** Directory inside `root` that the changes' paths start from; `""` is the root itself. */
  readonly base: Path;
  /**
   * What a whiteout is on disk: `overlay` a 0:0 character device, opaque an xattr; `remove`: the path, or what other
   * layers put into the directory, is deleted; `none`: such changes do not occur (copying into a container).
   */
  readonly whiteouts: "overlay" | "remove" | "none";
  /** Prefix of overlayfs's own xattrs: `trusted.overlay.`, or `user.overlay.` inside a user namespace. */
  readonly xattrPrefix: string;
  /** Mode of parent directories that no change names. */
  readonly impliedMode: number;
  /** Whether a change to the root directory itself applies (mode, owner, times). */
  readonly rootMeta: boolean;
  /** In a user namespace, or without root: owners that cannot be set and devices that cannot be made are passed over. */
  readonly lenient: boolean;
  /** Its files are other layers' too, by hard links: they are replaced, never written to, nor given other metadata. */
  readonly shared?: boolean;
  /**
   * What `finish` counts. `tree`: what is there in the end, as `Driver.diffSize` does; `entries`: the sizes that files
   * come with, as Docker does where it compares trees. `tree` unless given.
   */
  readonly sizes?: "tree" | "entries";
  /** A directory may not replace a file, nor a file a directory (`docker cp`). */
  readonly noOverwriteDirNonDir?: boolean;
  /** Everything written gets this owner, whatever its `Meta` says. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** What ids of changes are on disk; the same unless given. */
  readonly ids?: IdMap;
}

/** What ids inside are on disk, as a user namespace has it. One that is in no range is nobody's. */
export interface IdMap {
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

/** `size` ids from `first` on, which on disk are those from `onDisk` on. */
export interface IdRange {
  readonly first: number;
  readonly onDisk: number;
  readonly size: number;
}

/** Where a layer's files are: in `vfs` and `overlay` with those of the layers below. */
export interface OpenContent extends AsyncDisposable {
  /** Absolute. */
  readonly path: string;
}

/** What a layer changes, opened. */
export interface OpenDiff extends AsyncDisposable {
  readonly source: DiffSource;
}

/** Where and how a layer's changes are read: plain data, so that it can be sent to a worker thread. */
export type DiffSource =
  /** The layer's own directory holds them: whiteouts are devices, opaque an xattr. */
  | { readonly kind: "upper"; readonly root: string; readonly xattrPrefix: string }
  /** They are what differs between two whole trees; without `lower` all of `upper`. */
  | { readonly kind: "trees"; readonly upper: string; readonly lower?: string }
  /** They are what differs where overlayfs's upper directories `upper` and `lower`, or none, lie upon one tree. */
  | {
      readonly kind: "uppers";
      readonly upper: string;
      readonly lower?: string;
      readonly tree: string;
      readonly xattrPrefix: string;
    };

/** Writes changes below a target, confined by the kernel, one system call after the other: run it in a worker. */
export interface LayerWriter extends ChangeSink, Disposable {
  /**
   * In place of `data`: takes the content of the file from `body`, which `readDiff` has given, sharing its blocks where
   * the file system can. The pieces are the content as the layer has it, whatever becomes of the original meanwhile;
   * all have to be read, each before the next is asked for.
   *
   * @throws Conflict: the original has got shorter since the walk came to it
   */
  take(body: Iterable<Uint8Array>): Iterable<Uint8Array>;
  /**
   * Sets what had to wait (times of directories).
   *
   * @returns bytes written: of file content and link targets, each inode once, or as `WriteTarget.sizes` says
   */
  finish(): number;
}

export interface PathChange {
  /** Absolute inside the container: begins with `/`. */
  readonly path: string;
  readonly kind: "modified" | "added" | "deleted";
}
