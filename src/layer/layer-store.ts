import { basename, dirname, join } from "node:path";
import { ensureDirectory } from "../disk/index.js";
import type { Driver, Mounted } from "../driver/index.js";
import { type ChainID, type DiffID, DigestMismatch, InvalidParameter, NotImplemented } from "../spec/index.js";
import { labelled, SourceFailure } from "../threads/index.js";
import { type Adoptable, adoptLayer } from "./adopt-layer.js";
import { deleteLayers } from "./deletion.js";
import { InodeCounts } from "./inode-counts.js";
import type { Unpacked } from "./jobs.js";
import type { Damaged, Layer, LayerInodes, ReleasedLayer } from "./layer.js";
import { layerTar, splitIn } from "./layer-tar.js";
import { layerThreads } from "./layer-threads.js";
import { LayerDB } from "./layerdb.js";
import { type LooseLayer, stage } from "./loose-layer.js";
import { assertRoom, place } from "./place.js";
import { restore } from "./restore.js";
import { RWLayers } from "./rw-layers.js";
import { mustBeWritable, type StoreParts } from "./store-parts.js";
import { sweep } from "./sweep.js";
import { Turns } from "./turns.js";

export interface LayerStoreOptions {
  /** Absolute path of `image/DRIVER` under the data root; made when missing and `writable`. */
  readonly root: string;
  /** The layers' directories. It is not closed with the store. */
  readonly driver: Driver;
  /**
   * The caller holds the data root's owner lock: what interrupted operations left is swept, and everything works.
   * Without it nothing on disk is changed, and methods that would throw Forbidden.
   */
  readonly writable: boolean;
  /** Told, one line each, of leftovers removed at opening, and of what cannot be removed. */
  readonly report?: (line: string) => void;
}

export interface UnpackOptions {
  /** How error messages name the layer, e.g. its digest, or `layer 3 of 6`; without, they do not. */
  readonly label?: string;
  /** What the uncompressed tar must hash to; else it is DigestMismatch. */
  readonly expected?: DiffID;
  readonly signal?: AbortSignal;
  /** Told how many bytes of `tar` have been taken so far, now and then. */
  readonly onBytes?: (taken: number) => void;
}

export interface RegisterOptions extends UnpackOptions {
  /** The chain to put the layer on; none for a bottom layer. */
  readonly parent?: ChainID;
}

/**
 * Read-only layers by ChainID, in Docker's `layerdb` format, and the writable layers upon them (`rw`).
 *
 * A layer lives as long as something refers to it: a handle given out by `register` or `acquire` (an image holds one
 * on its top layer), a layer above it, a writable layer upon it. What `register`, `rw.create` and `rw.commit` have
 * resolved to survives a power cut; what was interrupted leaves nothing after the next writable opening.
 *
 * All methods may be called at the same time. There is nothing to close: layers are what is on disk, and mounts are
 * the driver's to end.
 */
export class LayerStore {
  /** Writable layers: containers' own, and those of build steps. */
  readonly rw: RWLayers;
  /** Entries that could not be used at opening: left as they are, never listed. */
  readonly damaged: readonly Damaged[];
  readonly #parts: StoreParts;
  /** What has been measured: a digest has one size for ever. */
  readonly #tarSizes = new Map<DiffID, number>();
  readonly #inodes: InodeCounts;

  /** Reads the layerdb, or begins one. Damaged entries are no error. */
  static async open({ root, driver, writable, report = () => {} }: LayerStoreOptions): Promise<LayerStore> {
    const db = new LayerDB(join(root, "layerdb"));
    if (writable) {
      await ensureDirectory(root, 0o700);
      await db.make();
      await sweep(db, driver, report);
    }
    const label = join(basename(dirname(root)), basename(root), "layerdb");
    const { layers, rwLayers, damaged } = await restore(db, label);
    return new LayerStore({ db, driver, layers, rwLayers, turns: new Turns(), writable, report }, damaged);
  }

  private constructor(parts: StoreParts, damaged: readonly Damaged[]) {
    this.#parts = parts;
    this.damaged = damaged;
    this.#inodes = new InodeCounts(parts.db);
    this.rw = new RWLayers(parts);
  }

  /** All layers, in no order. */
  list(): Layer[] {
    return this.#parts.layers.list();
  }

  find(chainID: ChainID): Layer | undefined {
    return this.#parts.layers.find(chainID);
  }

  /** @throws NotFound "layer does not exist" */
  get(chainID: ChainID): Layer {
    return this.#parts.layers.get(chainID);
  }

  /** The layer and those below it, top first. @throws NotFound "layer does not exist" */
  chain(chainID: ChainID): Layer[] {
    return this.#parts.layers.chain(chainID);
  }

  /** Takes a handle: the layer stays until it is given back by `release`. @throws NotFound "layer does not exist" */
  acquire(chainID: ChainID): Layer {
    return this.#parts.layers.acquire(chainID);
  }

  /**
   * Gives one handle back. Nothing else refers to the layer: it is deleted, then its parent in the same way.
   *
   * @returns what was deleted, top first
   * @throws NotFound "layer does not exist"; Conflict "layer not retained": no handle was out; Forbidden: it would have
   * to be deleted, and the store is open for reading only
   */
  async release(chainID: ChainID): Promise<ReleasedLayer[]> {
    const { layers } = this.#parts;
    if (layers.hangsOnOneHandle(chainID)) mustBeWritable(this.#parts);
    return deleteLayers(this.#parts, layers.release(chainID));
  }

  /**
   * Deletes the layers to which nothing refers, neither a handle nor a layer nor a writable layer: what a load or
   * pull that was interrupted had registered. For after all images have acquired theirs.
   *
   * @returns what was deleted, a layer before its parent
   */
  async prune(): Promise<ReleasedLayer[]> {
    mustBeWritable(this.#parts);
    return deleteLayers(this.#parts, this.#parts.layers.takeUnreferenced());
  }

  /**
   * Unpacks a layer tar, plain or compressed (gzip, zstd, bzip2, xz), and names it by its content; the caller has a handle on
   * it then. A layer that is known already is unpacked, compared and thrown away: `find` first where the DiffID is
   * known. All or nothing: on any failure nothing of it stays, and the handle on `parent` is unchanged.
   *
   * @throws InvalidParameter: no layer tar, or a hostile one, the message names label and entry; "max depth exceeded";
   * NotFound "layer does not exist": no such parent; DigestMismatch; the reason of `signal`; what reading `tar` threw
   */
  async register(tar: AsyncIterable<Uint8Array>, options: RegisterOptions): Promise<Layer> {
    mustBeWritable(this.#parts);
    return this.#holding(options.parent, (below) =>
      told(options, async () => {
        await using loose = await this.#unpacked(tar, options, below);
        const [layer] = await place(this.#parts, [loose], below?.chainID);
        return layer!;
      }),
    );
  }

  /**
   * Whether layers can be unpacked before those below them are there, by `unpack`. Where a driver's layer begins as a
   * copy of its parent only `register` works.
   */
  get canUnpack(): boolean {
    return this.#parts.driver.attach !== undefined;
  }

  /**
   * Unpacks a layer tar as `register` does, but gives it no place yet: the layers of an image are unpacked at the same
   * time, in any order, and then made a chain by `place`. Only this process knows of it until then; the next writable
   * opening removes what is left of one.
   *
   * @throws as `register`, but for what concerns the parent; NotImplemented: not `canUnpack`
   */
  async unpack(tar: AsyncIterable<Uint8Array>, options: UnpackOptions): Promise<LooseLayer> {
    mustBeWritable(this.#parts);
    if (this.canUnpack) return told(options, () => this.#unpacked(tar, options));
    throw new NotImplemented(`${this.#parts.driver.name} makes layers only upon those below them: register them`);
  }

  /**
   * Makes unpacked layers a chain upon `parent`, in one step: either all that it resolves to survives a power cut, or
   * it has failed and there is nothing of it. (Cut in the middle, the next opening finds a whole chain of the lower
   * ones, or none.) The caller has one handle then, on the top layer, which keeps those below. What is known already
   * is taken from the store, and the layer given for it stays loose, as all do on a failure: dispose every one.
   *
   * @param loose bottom first, each once; what is needed twice is unpacked twice (`LooseLayer.tar`)
   * @returns bottom first
   * @throws InvalidParameter: no layers; "max depth exceeded"; NotFound "layer does not exist": no such parent;
   * Conflict: one has been placed or disposed
   */
  async place(loose: readonly LooseLayer[], parent?: ChainID): Promise<Layer[]> {
    mustBeWritable(this.#parts);
    if (loose.length === 0) throw new InvalidParameter("there are no layers to be placed");
    return this.#holding(parent, () => place(this.#parts, loose, parent));
  }

  /**
   * Makes a layer out of one that another store on the same file system has, under the ids that it has there; the
   * caller has a handle on it then. Its files become one with those of the other, which nobody may write to, and are
   * copied only where the file system allows no more names. All or nothing; before it has its name it is read and hashed.
   *
   * @param onBytes told how many bytes have been hashed so far, now and then
   * @throws DataLoss: it does not hash to its DiffID; InvalidParameter: its archive is not one that could be registered
   */
  async adopt(
    layer: Adoptable,
    { parent, onBytes }: { readonly parent?: ChainID; readonly onBytes?: (verified: number) => void } = {},
  ): Promise<{ readonly layer: Layer; readonly bytesCopied: number }> {
    mustBeWritable(this.#parts);
    return this.#holding(parent, (below) => adoptLayer(this.#parts, layer, below, onBytes));
  }

  /** Path of the file from which, and from its files, the layer's tar is rebuilt. @throws NotFound */
  splitOf(chainID: ChainID): string {
    return splitIn(this.#parts.db.layerDir(this.get(chainID).chainID));
  }

  /**
   * The very bytes of the tar that was registered, uncompressed, rebuilt from tar-split and the layer's files as they
   * are read. The layer stays from the first read on until the reader is done.
   *
   * @throws NotFound "layer does not exist"; at reading: DataLoss: the layer's files or metadata were changed
   */
  tar(chainID: ChainID, { signal }: { readonly signal?: AbortSignal } = {}): AsyncIterable<Uint8Array> {
    this.get(chainID);
    return layerTar(this.#parts, chainID, signal);
  }

  /** Bytes that `tar` will give, from tar-split alone: no file of the layer is read. @throws as `tar` */
  async tarSize(chainID: ChainID): Promise<number> {
    const { diffID } = this.get(chainID);
    const size = this.#tarSizes.get(diffID) ?? (await this.#measured(chainID));
    this.#tarSizes.set(diffID, size);
    return size;
  }

  /**
   * Inodes that the chain takes in the home of each driver, by tar-split alone: what a file system of a fixed number of
   * them is asked for. @throws as `tar`; InvalidParameter: a layer links to those below, or writes through its symlinks
   */
  async inodes(chainID: ChainID): Promise<LayerInodes> {
    return this.#holding(chainID, () =>
      this.#inodes.of(this.chain(chainID)).catch((error) => Promise.reject(labelled(`layer ${chainID}`, error))),
    );
  }

  /** The read-only tree of the chain, until disposed; the layer stays as long. @throws NotFound "layer does not exist" */
  async mount(chainID: ChainID): Promise<Mounted> {
    const { driver, layers } = this.#parts;
    const { cacheID } = layers.hold(chainID);
    const letGo = async () => void (await deleteLayers(this.#parts, layers.letGo(chainID)));
    try {
      const mounted = await driver.mount(cacheID);
      const dispose = () => mounted[Symbol.asyncDispose]().then(letGo);
      return { path: mounted.path, [Symbol.asyncDispose]: dispose };
    } catch (error) {
      await letGo();
      throw error;
    }
  }

  /** Where the layer lies, as `GraphDriver.Data` of an image shows. @throws NotFound "layer does not exist" */
  async metadata(chainID: ChainID): Promise<Record<string, string>> {
    return this.#parts.driver.metadata(this.get(chainID).cacheID);
  }

  /** @param below what it will be put upon, if that is known */
  async #unpacked(tar: AsyncIterable<Uint8Array>, options: UnpackOptions, below?: Layer): Promise<LooseLayer> {
    const { label, expected, signal, onBytes } = options;
    assertRoom(below, 1);
    return stage(this.#parts, below, async (target, split) => {
      const job = { kind: "unpack", target, split } as const;
      const unpacked = await layerThreads.feed<Unpacked>(job, tar, { signal, onBytes });
      if (expected === undefined || unpacked.diffID === expected) return unpacked;
      const what = label === undefined ? "invalid diffID" : `invalid diffID for layer ${label}`;
      throw new DigestMismatch(what, expected, unpacked.diffID);
    });
  }

  #measured(chainID: ChainID): Promise<number> {
    return this.#holding(chainID, () =>
      layerThreads
        .ask<number>({ kind: "measure", split: splitIn(this.#parts.db.layerDir(chainID)) })
        .catch((error) => Promise.reject(labelled(`layer ${chainID}`, error))),
    );
  }

  /** Does `work` while the layer cannot go away. */
  async #holding<T>(chainID: ChainID | undefined, work: (layer: Layer | undefined) => Promise<T>): Promise<T> {
    const { layers } = this.#parts;
    const layer = chainID && layers.hold(chainID);
    try {
      return await work(layer);
    } finally {
      if (chainID) await deleteLayers(this.#parts, layers.letGo(chainID));
    }
  }
}

/** Does `work`, and sees to it that its failures are those that callers are promised. */
async function told<T>({ label, signal }: UnpackOptions, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (error instanceof SourceFailure) throw error.cause;
    throw error instanceof DigestMismatch || label === undefined ? error : labelled(label, error);
  }
}
