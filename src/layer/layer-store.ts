import type { Driver, Mounted } from "../driver/index.js";
import { type ChainID, type DiffID, NotImplemented } from "../spec/index.js";
import type { Damaged, Layer, ReleasedLayer } from "./layer.js";
import { RWLayers } from "./rw-layers.js";

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
  /** Told one line for each leftover that was removed at opening. */
  readonly report?: (line: string) => void;
}

export interface RegisterOptions {
  /** The chain to put the layer on; none for a bottom layer. */
  readonly parent?: ChainID;
  /** How error messages name the layer, e.g. its digest, or `layer 3 of 6`. */
  readonly label: string;
  /** What the uncompressed tar must hash to. @throws DigestMismatch: it does not */
  readonly expected?: DiffID;
  readonly signal?: AbortSignal;
  /** Told how many bytes of `tar` have been taken so far, now and then. */
  readonly onBytes?: (taken: number) => void;
}

/**
 * Read-only layers by ChainID, in Docker's `layerdb` format, and the writable layers upon them (`rw`).
 *
 * A layer lives as long as something refers to it: a handle given out by `register` or `acquire` (an image holds one
 * on its top layer), a layer above it, a writable layer upon it. What `register`, `rw.create` and `rw.commit` have
 * resolved to survives a power cut; what was interrupted leaves nothing after the next writable opening.
 *
 * All methods may be called at the same time.
 */
export class LayerStore implements AsyncDisposable {
  /** Writable layers: containers' own, and those of build steps. */
  readonly rw: RWLayers = new RWLayers();
  /** Entries that could not be used at opening: left as they are, never listed. */
  readonly damaged: readonly Damaged[] = [];

  /** Reads the layerdb, or begins one. Damaged entries are no error. */
  static async open(_options: LayerStoreOptions): Promise<LayerStore> {
    throw new NotImplemented("LayerStore.open");
  }

  /** All layers, in no order. */
  list(): Layer[] {
    throw new NotImplemented("LayerStore.list");
  }

  find(_chainID: ChainID): Layer | undefined {
    throw new NotImplemented("LayerStore.find");
  }

  /** @throws NotFound "layer does not exist" */
  get(_chainID: ChainID): Layer {
    throw new NotImplemented("LayerStore.get");
  }

  /** The layer and those below it, top first. @throws NotFound "layer does not exist" */
  chain(_chainID: ChainID): Layer[] {
    throw new NotImplemented("LayerStore.chain");
  }

  /** Takes a handle: the layer stays until it is given back by `release`. @throws NotFound "layer does not exist" */
  acquire(_chainID: ChainID): Layer {
    throw new NotImplemented("LayerStore.acquire");
  }

  /**
   * Gives one handle back. Nothing else refers to the layer: it is deleted, then its parent in the same way.
   *
   * @returns what was deleted, top first
   * @throws NotFound "layer does not exist"; Conflict "layer not retained": no handle was out
   */
  async release(_chainID: ChainID): Promise<ReleasedLayer[]> {
    throw new NotImplemented("LayerStore.release");
  }

  /**
   * Deletes the layers to which nothing refers, neither a handle nor a layer nor a writable layer: what a load or
   * pull that was interrupted had registered. For after all images have acquired theirs.
   *
   * @returns what was deleted, a layer before its parent
   */
  async prune(): Promise<ReleasedLayer[]> {
    throw new NotImplemented("LayerStore.prune");
  }

  /**
   * Unpacks a layer tar, plain or compressed (gzip, zstd), and names it by its content; the caller has a handle on
   * it then. A layer that is known already is unpacked, compared and thrown away: `find` first where the DiffID is
   * known. All or nothing: on any failure nothing of it stays, and the handle on `parent` is unchanged.
   *
   * @throws InvalidParameter: no layer tar, or a hostile one, the message names label and entry; "max depth exceeded";
   * NotFound "layer does not exist": no such parent; DigestMismatch; the reason of `signal`; what reading `tar` threw
   */
  async register(_tar: AsyncIterable<Uint8Array>, _options: RegisterOptions): Promise<Layer> {
    throw new NotImplemented("LayerStore.register");
  }

  /**
   * The very bytes of the tar that was registered, uncompressed, rebuilt from tar-split and the layer's files as they
   * are read. The layer stays at least until the reader is done.
   *
   * @throws NotFound "layer does not exist"; at reading: DataLoss: the layer's files or metadata were changed
   */
  tar(_chainID: ChainID, _options?: { readonly signal?: AbortSignal }): AsyncIterable<Uint8Array> {
    throw new NotImplemented("LayerStore.tar");
  }

  /** Bytes that `tar` will give, from tar-split alone: no file of the layer is read. @throws as `tar` */
  async tarSize(_chainID: ChainID): Promise<number> {
    throw new NotImplemented("LayerStore.tarSize");
  }

  /** The read-only tree of the chain, until disposed; the layer stays as long. @throws NotFound "layer does not exist" */
  async mount(_chainID: ChainID): Promise<Mounted> {
    throw new NotImplemented("LayerStore.mount");
  }

  /** Where the layer lies, as `GraphDriver.Data` of an image shows. @throws NotFound "layer does not exist" */
  async metadata(_chainID: ChainID): Promise<Record<string, string>> {
    throw new NotImplemented("LayerStore.metadata");
  }

  /** Ends the worker threads. Layers stay; mounts are the driver's to end. */
  async [Symbol.asyncDispose](): Promise<void> {}
}
