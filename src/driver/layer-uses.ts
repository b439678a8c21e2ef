import { type CacheID, Conflict, shortID } from "../spec/index.js";
import type { Mounted } from "./driver.js";
import { IdLocks } from "./id-locks.js";

/** A tree that is there until `end` is called. */
export interface Begun {
  readonly path: string;
  end(): Promise<void>;
}

interface Shared extends Begun {
  count: number;
}

/**
 * Who works on which layer. Its tree is shared: the first use begins it, the last one ends it. Being filled, a layer
 * belongs to one alone. Operations on one layer wait for each other.
 */
export class LayerUses {
  readonly #locks = new IdLocks();
  readonly #shared = new Map<CacheID, Shared>();
  readonly #held = new Map<CacheID, number>();
  readonly #claimed = new Set<CacheID>();

  /** Runs `work` while no other operation begins or ends anything on these layers. */
  async locked<T>(ids: readonly CacheID[], work: () => Promise<T>): Promise<T> {
    return this.#locks.run(ids, work);
  }

  /** One more use, ended by disposing. @throws Conflict: the layer is being filled */
  async share(id: CacheID, begin: () => Promise<Begun>): Promise<Mounted> {
    return this.#locks.run([id], async () => {
      this.assertNotClaimed(id);
      let use = this.#shared.get(id);
      if (!use) {
        use = { ...(await begin()), count: 0 };
        this.#shared.set(id, use);
      }
      use.count++;
      return this.#handle(id, use);
    });
  }

  /** Keeps the layer there, whatever becomes of its tree, until disposed. @throws Conflict: it is being filled */
  async hold(id: CacheID, assertThere: () => Promise<void>): Promise<AsyncDisposable> {
    return this.#locks.run([id], async () => {
      this.assertNotClaimed(id);
      await assertThere();
      this.#held.set(id, (this.#held.get(id) ?? 0) + 1);
      let release = () => this.#unhold(id);
      return {
        [Symbol.asyncDispose]: async () => {
          release();
          release = () => {};
        },
      };
    });
  }

  /** To be called locked; ended by the function returned. @throws Conflict: the layer is in use */
  claim(id: CacheID): () => void {
    this.assertUnused(id);
    this.#claimed.add(id);
    return () => this.#claimed.delete(id);
  }

  /** @throws Conflict */
  assertUnused(id: CacheID): void {
    this.assertNotClaimed(id);
    if (this.#shared.has(id)) throw new Conflict(`layer ${shortID(id)} is mounted: unmount it first`);
    if (this.#held.has(id)) throw new Conflict(`layer ${shortID(id)} is being read: wait until that is done`);
  }

  /** @throws Conflict */
  assertNotClaimed(id: CacheID): void {
    if (this.#claimed.has(id)) throw new Conflict(`layer ${shortID(id)} is being filled: wait until it is complete`);
  }

  #unhold(id: CacheID): void {
    const left = (this.#held.get(id) ?? 0) - 1;
    if (left > 0) this.#held.set(id, left);
    else this.#held.delete(id);
  }

  #handle(id: CacheID, use: Shared): Mounted {
    let ended: Promise<void> | undefined;
    return {
      path: use.path,
      [Symbol.asyncDispose]: () => {
        ended ??= this.#locks.run([id], () => this.#release(id, use));
        return ended;
      },
    };
  }

  async #release(id: CacheID, use: Shared): Promise<void> {
    if (--use.count > 0) return;
    this.#shared.delete(id);
    await use.end();
  }
}
