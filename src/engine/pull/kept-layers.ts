import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomic } from "../../disk/index.js";
import type { LayerStore, ReleasedLayer } from "../../layer/index.js";
import { type ChainID, isErrno, parseDigest } from "../../spec/index.js";

/** How long layers wait for another try. */
const patienceMs = 24 * 60 * 60 * 1000;

export interface KeptOptions {
  /** Absolute path of `image/DRIVER` under the data root. */
  readonly root: string;
  readonly layers: LayerStore;
  readonly writable: boolean;
}

/**
 * Layers that a pull had brought whole when it ended early: no image has them, and the next try need not fetch them
 * again. They go when an image has them, with `prune`, or after a day. A note of them outlives the process; dockerd
 * does not know it, and keeps such layers.
 */
export class KeptLayers {
  readonly #file: string;
  readonly #layers: LayerStore;
  /** Top layers of chains, each held once, and since when in milliseconds since 1970. */
  readonly #since = new Map<ChainID, number>();

  private constructor(file: string, layers: LayerStore) {
    this.#file = file;
    this.#layers = layers;
  }

  /** Holds what the note names and is not too old. The others are for `LayerStore.prune`. */
  static async open({ root, layers, writable }: KeptOptions): Promise<KeptLayers> {
    const kept = new KeptLayers(join(root, "layerkit-kept.json"), layers);
    if (!writable) return kept;
    for (const [chainID, since] of await noted(kept.#file)) {
      if (layers.find(chainID) && since + patienceMs > Date.now()) kept.#hold(chainID, since);
    }
    return kept;
  }

  /** Keeps a layer and those below it. @param chainID held by the caller */
  async keep(chainID: ChainID): Promise<void> {
    if (this.#since.has(chainID)) return;
    this.#hold(chainID, Date.now());
    await this.#note();
  }

  /**
   * Lets go of the layers that `which` says, and of those that have waited long enough.
   *
   * @returns what was deleted, since nothing else needed it
   */
  async release(which: (chainID: ChainID) => boolean = () => true): Promise<ReleasedLayer[]> {
    const going = [...this.#since].filter(([id, since]) => which(id) || since + patienceMs <= Date.now());
    if (going.length === 0) return [];
    for (const [chainID] of going) this.#since.delete(chainID);
    const released = await Promise.all(going.map(([chainID]) => this.#layers.release(chainID)));
    // A note of layers that are gone says nothing.
    await this.#note();
    return released.flat();
  }

  #hold(chainID: ChainID, since: number): void {
    this.#layers.acquire(chainID);
    this.#since.set(chainID, since);
  }

  async #note(): Promise<void> {
    if (this.#since.size === 0) return await rm(this.#file, { force: true });
    const times = [...this.#since].map(([chainID, since]) => [chainID, new Date(since).toISOString()]);
    await writeAtomic(this.#file, JSON.stringify(Object.fromEntries(times)), { mode: 0o600 });
  }
}

/** A note that cannot be read keeps nothing. */
async function noted(file: string): Promise<[ChainID, number][]> {
  try {
    const times = JSON.parse(await readFile(file, "utf8")) as Record<string, string>;
    return Object.entries(times).map(([chainID, since]) => [parseDigest<ChainID>(chainID), Date.parse(since)]);
  } catch (error) {
    if (isErrno(error, "ENOENT") || !isErrno(error)) return [];
    throw error;
  }
}
