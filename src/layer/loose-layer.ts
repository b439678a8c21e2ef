import { ensureDirectory, WriteSet } from "../disk/index.js";
import type { WriteTarget } from "../driver/index.js";
import { type CacheID, type ChainID, Conflict, type DiffID, messageOf, randomID } from "../spec/index.js";
import type { Unpacked } from "./jobs.js";
import type { Layer } from "./layer.js";
import { layerTar, splitIn } from "./layer-tar.js";
import { layerThreads } from "./layer-threads.js";
import type { StoreParts } from "./store-parts.js";
import { writeBack } from "./write-back.js";

/**
 * A layer with all its content that has no name yet: a driver's directory, and a write set that tells of it. Only
 * `LayerStore.place` makes it last. Dispose it in any case: what has not been placed is gone then.
 */
export class LooseLayer implements AsyncDisposable {
  readonly diffID: DiffID;
  /** Bytes it holds, as in `Layer`. */
  readonly diffSize: number;
  /** The driver's directory for it; other methods of the layer store do not know it yet. */
  readonly cacheID: CacheID;
  /** Where its content is. */
  readonly root: string;
  readonly #parts: StoreParts;
  readonly #writtenBack: Promise<void>;
  #set: WriteSet | undefined;
  #chainID: ChainID | undefined;

  constructor(parts: StoreParts, set: WriteSet, made: Unpacked & Pick<LooseLayer, "cacheID" | "root">) {
    this.#parts = parts;
    this.#set = set;
    ({ diffID: this.diffID, diffSize: this.diffSize, cacheID: this.cacheID, root: this.root } = made);
    this.#writtenBack = writeBack(this.root, this.diffSize);
  }

  /** Where its metadata is. @throws Conflict: it has been placed, or disposed */
  get set(): WriteSet {
    if (this.#set) return this.#set;
    throw new Conflict(`the unpacked layer ${this.diffID} is used up: unpack it again to have it twice`);
  }

  /**
   * The very bytes of the tar that was unpacked: to unpack it once more, for another place. It must not be placed or
   * disposed meanwhile; placed before, it has to be there still.
   */
  tar({ signal }: { readonly signal?: AbortSignal } = {}): AsyncIterable<Uint8Array> {
    if (this.#chainID) return layerTar(this.#parts, this.#chainID, signal);
    return layerThreads.read(
      { kind: "rebuild", root: this.root, split: splitIn(this.set.path), diffID: this.diffID },
      { signal },
    );
  }

  /** It is a layer in a chain now: disposing does nothing any more. */
  placed(chainID: ChainID): void {
    this.#set = undefined;
    this.#chainID = chainID;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const set = this.#set;
    this.#set = undefined;
    await this.#writtenBack;
    if (set) await discard(this.#parts, this.cacheID, set);
  }
}

/**
 * Makes a layer and has it filled. All or nothing: on a failure, of `fill` too, nothing of it stays.
 *
 * @param below the layer it will be put upon, if that is known: in the table, and held. Drivers that cannot attach
 * make the layer upon it now
 * @param fill writes the content to `target` and the tar-split to `split`
 */
export async function stage(
  parts: StoreParts,
  below: Layer | undefined,
  fill: (target: WriteTarget, split: string) => Promise<Unpacked>,
  cacheID: CacheID = randomID(),
): Promise<LooseLayer> {
  const { db, driver } = parts;
  await ensureDirectory(db.tmp, 0o755);
  // Before the driver's directory, and named by it: what a crash leaves of both is found by the set.
  const set = await WriteSet.open(db.tmp, cacheID);
  try {
    await driver.create(cacheID, driver.attach ? undefined : below?.cacheID);
    await using filling = await driver.fill(cacheID);
    const unpacked = await fill(filling.target, splitIn(set.path));
    const root = await filling.commit();
    return new LooseLayer(parts, set, { ...unpacked, cacheID, root });
  } catch (error) {
    await discard(parts, cacheID, set);
    throw error;
  }
}

async function discard({ driver, report }: StoreParts, cacheID: CacheID, set: WriteSet): Promise<void> {
  try {
    await driver.remove(cacheID);
    await set[Symbol.asyncDispose]();
  } catch (error) {
    report(`the half-made layer ${cacheID} could not be removed: ${messageOf(error)}; the next start retries`);
  }
}
