import type { Layer } from "../../layer/index.js";
import { type ChainID, type DiffID, nextChainID, shortID, Undo } from "../../spec/index.js";
import { registered, type Taking, unpacked, type Wanted } from "./layer-of-file.js";
import type { ImagePlan, LayerSource } from "./plan.js";

/**
 * Sees to it that the layers of an image are in the store, and holds them. For those that are there already the
 * archive is not even asked.
 *
 * @throws InvalidParameter: the content of one is not what its diff id says
 */
export async function takeImage(taking: Taking, { config, layers: sources }: ImagePlan): Promise<void> {
  const { held } = taking;
  const { layers } = taking.targets;
  const wanted: Wanted[] = [];
  let below: ChainID | undefined;
  for (const [at, diffID] of config.rootfs.diff_ids.entries()) {
    const chainID = nextChainID(below, diffID);
    if (wanted.length === 0 && layers.find(chainID)) below = chainID;
    else wanted.push({ source: sources[at]!, id: shortID(diffID), promised: { diffID, at } });
  }
  if (below) {
    const { chainID } = layers.acquire(below);
    held.defer(() => layers.release(chainID));
  }
  await takeLayers(taking, wanted, below);
  for (const { source, promised } of wanted) await learn(taking, source, promised!.diffID);
}

/** So that the next archive with the same compressed layer need not be unpacked. */
async function learn({ targets: { distribution } }: Taking, { blob }: LayerSource, diffID: DiffID): Promise<void> {
  const isNew = blob && blob.digest !== diffID && (await distribution.diffIDOf(blob.digest)) !== diffID;
  if (isNew) await distribution.learn(blob.digest, diffID);
}

/** Puts layers of the archive upon `below`, bottom first, and holds them. @returns what they are now */
export async function takeLayers(
  taking: Taking,
  wanted: readonly Wanted[],
  below: ChainID | undefined,
): Promise<Layer[]> {
  if (wanted.length === 0) return [];
  return taking.targets.layers.canUnpack
    ? await placeAll(taking, wanted, below)
    : await registerEach(taking, wanted, below);
}

async function placeAll(taking: Taking, wanted: readonly Wanted[], below: ChainID | undefined): Promise<Layer[]> {
  const { layers } = taking.targets;
  await using undo = new Undo();
  const unpacking = wanted.map(async (each) => {
    const loose = await unpacked(taking, each);
    undo.defer(() => loose[Symbol.asyncDispose]());
    return loose;
  });
  const placed = await layers.place(await allOf(unpacking), below);
  taking.held.defer(() => layers.release(placed.at(-1)!.chainID));
  return placed;
}

/** Where a layer can be made upon its parent only. */
async function registerEach(taking: Taking, wanted: readonly Wanted[], below: ChainID | undefined): Promise<Layer[]> {
  const { layers } = taking.targets;
  const taken: Layer[] = [];
  for (const each of wanted) {
    const layer = await registered(taking, each, taken.at(-1)?.chainID ?? below);
    taking.held.defer(() => layers.release(layer.chainID));
    taken.push(layer);
  }
  return taken;
}

/** What they resolve to, once all have settled; of their failures the first in this order is thrown. */
async function allOf<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}
