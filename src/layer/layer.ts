import type { CacheID, ChainID, DiffID } from "../spec/index.js";

/** A read-only layer in its chain. */
export interface Layer {
  readonly chainID: ChainID;
  readonly diffID: DiffID;
  /** The chain below; absent for a bottom layer. */
  readonly parent?: ChainID;
  /** The driver's directory for it. */
  readonly cacheID: CacheID;
  /** Bytes this layer holds over its parent, as the layerdb's `size` says. */
  readonly diffSize: number;
  /** Bytes of the whole chain. */
  readonly size: number;
  /** Layers in the chain, this one included. */
  readonly depth: number;
}

/** Inodes that layers take in the home of each driver, those of Docker's own files beside them included. */
export interface LayerInodes {
  readonly overlay2: number;
  readonly overlay: number;
  /** Those of them that are files: `overlay` and a migration have them once, whatever the number of their names. */
  readonly files: number;
}

/** A layer deleted by a release. */
export interface ReleasedLayer {
  readonly chainID: ChainID;
  readonly diffID: DiffID;
  readonly diffSize: number;
  readonly size: number;
}

/** A container's writable layer, as `layerdb/mounts/NAME` records it. */
export interface RWLayer {
  /** The container's id, or any name of a build step. */
  readonly name: string;
  readonly mountID: CacheID;
  readonly initID?: CacheID;
  /** The image's top chain; absent over nothing. */
  readonly parent?: ChainID;
}

/** Something in the layer store that could not be used at opening; it is left as it is and reported. */
export interface Damaged {
  /** Path under the data root. */
  readonly path: string;
  /** One line: what is wrong with it. */
  readonly why: string;
}
