import type { ChainID, DiffID, Digest } from "../../spec/index.js";
import type { DistributionCache } from "../distribution.js";
import type { LoadTargets } from "./targets.js";

/** The layers that are there when an archive comes in, by what archives call a layer's file. */
export class KnownLayers {
  readonly #distribution: DistributionCache;
  readonly #chains: ReadonlyMap<DiffID, ChainID>;

  constructor({ layers, distribution }: LoadTargets) {
    this.#distribution = distribution;
    this.#chains = new Map(layers.list().map(({ diffID, chainID }) => [diffID, chainID]));
  }

  /**
   * The layer that a file is by its name, `blobs/sha256/HEX` or `HEX.tar`: `HEX` is its DiffID, or the digest of a
   * compressed form that was seen before. Names can lie: what is taken for the layer is to be compared with the
   * DiffID that is wanted.
   */
  async named(path: string): Promise<ChainID | undefined> {
    for (const hex of path.match(/[0-9a-f]{64}/g) ?? []) {
      const digest = `sha256:${hex}` as Digest;
      const chainID = this.#chains.get(digest as DiffID) ?? (await this.#packed(digest));
      if (chainID) return chainID;
    }
    return undefined;
  }

  async #packed(blob: Digest): Promise<ChainID | undefined> {
    const diffID = this.#chains.size > 0 ? await this.#distribution.diffIDOf(blob) : undefined;
    return diffID && this.#chains.get(diffID);
  }
}
