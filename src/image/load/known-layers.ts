import type { Layer, LayerStore } from "../../layer/index.js";
import type { ChainID, DiffID, Digest } from "../../spec/index.js";
import type { DistributionCache } from "../distribution.js";
import type { LoadTargets } from "./targets.js";

/** Bytes of a file that is worth some looking before it is unpacked. */
const large = 1024 * 1024;
/** Of a layer's tar at least so much is file content, if it is to be recognised by its size. */
const leastContent = 0.25;

/** The layers that are there when an archive comes in, by what archives call a layer's file. */
export class KnownLayers {
  readonly #distribution: DistributionCache;
  readonly #layers: LayerStore;
  readonly #known: ReadonlyMap<DiffID, Layer>;

  constructor({ layers, distribution }: LoadTargets) {
    this.#distribution = distribution;
    this.#layers = layers;
    this.#known = new Map(layers.list().map((layer) => [layer.diffID, layer]));
  }

  /**
   * The layer that a file is by its name, `blobs/sha256/HEX` or `HEX.tar`: `HEX` is its DiffID, or the digest of a
   * compressed form that was seen before. Names can lie: what is taken for the layer is to be compared with the
   * DiffID that is wanted.
   */
  async named(path: string): Promise<ChainID | undefined> {
    for (const hex of path.match(/[0-9a-f]{64}/g) ?? []) {
      const digest = `sha256:${hex}` as Digest;
      const layer = this.#known.get(digest as DiffID) ?? (await this.#packed(digest));
      if (layer) return layer.chainID;
    }
    return undefined;
  }

  /**
   * Whether an uncompressed file whose name does not tell is worth keeping until it is known which layers are wanted:
   * it is large, and has as many bytes as the tar of a layer that is there.
   */
  async haveOneOf(size: number): Promise<boolean> {
    if (size < large) return false;
    for (const { chainID, diffSize } of this.#known.values()) {
      if (diffSize > size || diffSize < size * leastContent) continue;
      // Of one that is damaged, or was removed meanwhile, nothing can be said.
      if ((await this.#layers.tarSize(chainID).catch(() => undefined)) === size) return true;
    }
    return false;
  }

  async #packed(blob: Digest): Promise<Layer | undefined> {
    const diffID = this.#known.size > 0 ? await this.#distribution.diffIDOf(blob) : undefined;
    return diffID && this.#known.get(diffID);
  }
}
