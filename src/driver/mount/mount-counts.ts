import { type CacheID, Conflict, shortID } from "../../spec/index.js";
import type { Mounted } from "../driver.js";
import type { IdLocks } from "../id-locks.js";

interface Use {
  readonly path: string;
  readonly end: () => Promise<void>;
  count: number;
}

/** A tree that is there until `end` is called. */
export interface Begun {
  readonly path: string;
  end(): Promise<void>;
}

/** Who uses which layer's tree: the first use begins it, the last one ends it. */
export class MountCounts {
  readonly #locks: IdLocks;
  readonly #uses = new Map<CacheID, Use>();

  constructor(locks: IdLocks) {
    this.#locks = locks;
  }

  /** One more use, ended by disposing; `begin` makes the tree when it is the first. */
  async use(id: CacheID, begin: () => Promise<Begun>): Promise<Mounted> {
    return this.#locks.run([id], async () => {
      let use = this.#uses.get(id);
      if (!use) {
        const { path, end } = await begin();
        use = { path, end, count: 0 };
        this.#uses.set(id, use);
      }
      use.count++;
      return this.#handle(id, use);
    });
  }

  /** @throws Conflict: the layer is in use */
  assertUnused(id: CacheID): void {
    if (this.#uses.has(id)) throw new Conflict(`layer ${shortID(id)} is mounted: unmount it first`);
  }

  #handle(id: CacheID, use: Use): Mounted {
    let ended: Promise<void> | undefined;
    return {
      path: use.path,
      [Symbol.asyncDispose]: () => {
        ended ??= this.#locks.run([id], () => this.#release(id, use));
        return ended;
      },
    };
  }

  async #release(id: CacheID, use: Use): Promise<void> {
    if (--use.count > 0) return;
    this.#uses.delete(id);
    await use.end();
  }
}
