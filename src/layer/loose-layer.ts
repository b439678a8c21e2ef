import { join } from "node:path";
import { ensureDirectory, WriteSet } from "../disk/index.js";
import type { WriteTarget } from "../driver/index.js";
import { type CacheID, Conflict, type DiffID, messageOf, randomID } from "../spec/index.js";
import type { Unpacked } from "./jobs.js";
import type { Layer } from "./layer.js";
import { layerThreads } from "./layer-threads.js";
import type { StoreParts } from "./store-parts.js";

/**
 * A layer with all its content that has no name yet: a driver's directory, and a write set that tells of it. Only
 * `LayerStore.place` makes it last. Dispose it in any case: what has not been placed is gone then.
 */
export class LooseLayer implements AsyncDisposable {
  readonly diffID: DiffID;
  /** Bytes it holds, as in `Layer`. */
  readonly diffSize: number;
  /** How error messages name it. */
  readonly label: string;
  /** The driver's directory for it; other methods of the layer store do not know it yet. */
  readonly cacheID: CacheID;
  readonly #root: string;
  readonly #parts: StoreParts;
  #set: WriteSet | undefined;

  constructor(parts: StoreParts, set: WriteSet, made: Unpacked & Pick<LooseLayer, "cacheID" | "label">, root: string) {
    this.#parts = parts;
    this.#set = set;
    this.#root = root;
    this.diffID = made.diffID;
    this.diffSize = made.diffSize;
    this.label = made.label;
    this.cacheID = made.cacheID;
  }

  /** Where its metadata is. @throws Conflict: it has been placed, or disposed */
  get set(): WriteSet {
    if (this.#set) return this.#set;
    throw new Conflict(`${this.label}: the unpacked layer is used up: unpack it again to have it twice`);
  }

  /** Directory of its content. */
  get root(): string {
    return this.#root;
  }

  /**
   * The very bytes of the tar that was unpacked, as `LayerStore.tar` gives them: to unpack it once more, for another
   * place. It may neither be placed nor disposed meanwhile.
   */
  tar({ signal }: { readonly signal?: AbortSignal } = {}): AsyncIterable<Uint8Array> {
    const split = splitIn(this.set);
    return layerThreads.read({ kind: "rebuild", root: this.#root, split, diffID: this.diffID }, { signal });
  }

  /** It is a layer in a chain now: disposing does nothing any more. */
  placed(): void {
    this.#set = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const set = this.#set;
    this.#set = undefined;
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
  { below, label }: { readonly below: Layer | undefined; readonly label: string },
  fill: (target: WriteTarget, split: string) => Promise<Unpacked>,
): Promise<LooseLayer> {
  const { db, driver } = parts;
  const cacheID: CacheID = randomID();
  await ensureDirectory(db.tmp, 0o755);
  // Before the driver's directory, and named by it: what a crash leaves of both is found by the set.
  const set = await WriteSet.open(db.tmp, cacheID);
  try {
    await driver.create(cacheID, driver.attach ? undefined : below?.cacheID);
    await using filling = await driver.fill(cacheID);
    const unpacked = await fill(filling.target, splitIn(set));
    await filling.commit();
    return new LooseLayer(parts, set, { ...unpacked, cacheID, label }, filling.target.root);
  } catch (error) {
    await discard(parts, cacheID, set);
    throw error;
  }
}

function splitIn(set: WriteSet): string {
  return join(set.path, "tar-split.json.gz");
}

async function discard({ driver, report }: StoreParts, cacheID: CacheID, set: WriteSet): Promise<void> {
  try {
    await driver.remove(cacheID);
    await set[Symbol.asyncDispose]();
  } catch (error) {
    report(`the half-made layer ${cacheID} could not be removed: ${messageOf(error)}; the next start retries`);
  }
}
