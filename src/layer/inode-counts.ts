import type { ChainID } from "../spec/index.js";
import type { Layer, LayerInodes } from "./layer.js";
import { splitIn } from "./layer-tar.js";
import { layerThreads } from "./layer-threads.js";
import type { LayerDB } from "./layerdb.js";

/** How many inodes chains take, counted once: a chain is the same for ever. */
export class InodeCounts {
  readonly #db: LayerDB;
  /** Of the topmost layer of a chain alone. */
  readonly #counts = new Map<ChainID, LayerInodes>();

  constructor(db: LayerDB) {
    this.#db = db;
  }

  /** @param layers a whole chain, top first; they stay meanwhile @throws as `LayerStore.inodes` */
  async of(layers: readonly Layer[]): Promise<LayerInodes> {
    const chain = layers.map(({ chainID }) => chainID).reverse();
    if (!chain.every((each) => this.#counts.has(each))) {
      const splits = chain.map((each) => splitIn(this.#db.layerDir(each)));
      const counts = await layerThreads.ask<LayerInodes[]>({ kind: "inodes", splits });
      for (const [at, each] of chain.entries()) this.#counts.set(each, counts[at]!);
    }
    const sum = (driver: keyof LayerInodes) =>
      chain.reduce((total, each) => total + this.#counts.get(each)![driver], 0);
    return { overlay2: sum("overlay2"), overlay: sum("overlay"), files: sum("files") };
  }
}
