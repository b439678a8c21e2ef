import type { Mounted } from "../driver/index.js";
import type { AbortOption } from "./images.js";

/** Read-only layers, which images are made of. Digests are text, `sha256:` and hex. Unknown ones reject with NotFound. */
export interface Layers {
  /** All layers, a layer after its parent. */
  list(): LayerInfo[];
  /** The layers of an image, top first. @throws NotFound "No such image: NAME" */
  ofImage(name: string): LayerInfo[];
  inspect(chainID: string): LayerInfo;
  /** Where the layer lies on disk, in the keys of `GraphDriver.Data`. */
  directories(chainID: string): Promise<Record<string, string>>;
  /** Inodes that the layer and those below it take with each driver. InvalidParameter: it cannot be told of them. */
  inodes(chainID: string): Promise<LayerInodes>;
  /** The very bytes of the tar the layer was made of; lazily. At reading: DataLoss, its files were changed. */
  tar(chainID: string, options?: AbortOption): AsyncIterable<Uint8Array>;
  /** The tree of the layer and those below it, read-only, until disposed. */
  mount(chainID: string): Promise<Mounted>;
}

export interface LayerInodes {
  readonly overlay2: number;
  readonly overlay: number;
}

export interface LayerInfo {
  readonly chainID: string;
  readonly diffID: string;
  /** ChainID of the layer below; absent for a bottom layer. */
  readonly parent?: string;
  /** Name of its directory in the driver's home. */
  readonly cacheID: string;
  /** Bytes it holds over its parent. */
  readonly diffSize: number;
  /** Bytes of the whole chain. */
  readonly size: number;
  /** Layers in the chain, this one included. */
  readonly depth: number;
}
