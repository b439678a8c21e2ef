import { readFileSync } from "node:fs";
import { join } from "node:path";
import { rebuildBare } from "../../../layer/index.js";
import { type ChainID, type DiffID, hexOf, type ImageID, isErrno, NotFound } from "../../../spec/index.js";
import { type NameProof, storedName } from "../../check/known/name-proofs.js";
import { readRoot } from "../../root/read-root.js";
import { drivers, type RootState } from "../../root/root-state.js";
import type { Offer, Source, WantedLayer } from "./source.js";

/** Another data root, dockerd's or ours: at rest, as it has to be for what is read to be of one piece. */
export class RootSource implements Source {
  readonly name: string;
  /** Of each driver that it has data of. */
  readonly #states: readonly RootState[];

  /** @throws NotFound: it is none */
  static async open(path: string): Promise<RootSource> {
    const states: RootState[] = [];
    for (const driver of drivers) states.push(await readRoot(path, driver));
    const used = states.filter(({ layerdb, images }) => layerdb.layers.size + images.contents.size > 0);
    if (used.length === 0) throw new NotFound(`${path} is no data root with images, and no archive`);
    return new RootSource(path, used);
  }

  private constructor(path: string, states: readonly RootState[]) {
    this.name = `data root ${path}`;
    this.#states = states;
  }

  async *layers({ diffID }: WantedLayer): AsyncGenerator<Offer> {
    for (const state of this.#states) yield* offersOf(state, diffID);
  }

  async *images(id: ImageID): AsyncGenerator<Uint8Array> {
    for (const state of this.#states) {
      const config = configIn(state, id);
      if (config) yield config;
    }
  }

  async *names(): AsyncGenerator<NameProof> {
    for (const { images } of this.#states) {
      for (const [text, id] of images.repositories.references ?? []) {
        const ref = storedName(text);
        if (ref !== undefined) yield { ref, id: id as ImageID, from: `as ${this.name} has it` };
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/**
 * The damaged root itself, but for the layer's own directory: it may have the layer a second time, in another chain; and
 * with the driver `overlay` the trees of the layers above have its files.
 */
export class OwnRoot implements Source {
  readonly name = "the data root itself";

  async *layers({ chainID, diffID, state }: WantedLayer): AsyncGenerator<Offer> {
    yield* offersOf(state, diffID, contentOf(state, chainID));
  }

  async *images(): AsyncGenerator<Uint8Array> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Rebuilt from each directory that may have the layer's files, by each tar-split that is there for it. */
function* offersOf(state: RootState, diffID: DiffID, except?: string): Generator<Offer> {
  const { layers, path } = state.layerdb;
  for (const [name, entry] of layers) {
    if (entry.diffID !== diffID || entry.chainID === undefined || !entry.nodes.has("tar-split.json.gz")) continue;
    const split = join(path, "sha256", name, "tar-split.json.gz");
    for (const root of treesWith(state, entry.chainID)) {
      if (root !== except) yield { from: root, open: (signal) => rebuildBare({ root, split, diffID }, { signal }) };
    }
  }
}

/** The layer's own first. */
function* treesWith(state: RootState, chainID: ChainID): Generator<string> {
  const own = [chainID];
  const all = state.driver === "overlay2" ? own : [...own, ...layersAbove(state, chainID)];
  for (const each of all) {
    const tree = contentOf(state, each);
    if (tree !== undefined) yield tree;
  }
}

/** Layers that stand on this one, by any number of layers between, each after the one it stands on. */
export function layersAbove({ layerdb }: RootState, chainID: ChainID): ChainID[] {
  const above = [chainID];
  for (const below of above) {
    for (const { chainID: each, parent } of layerdb.layers.values()) {
      if (each && parent === below && !above.includes(each)) above.push(each);
    }
  }
  return above.slice(1);
}

/** The directory with a layer's files, whatever there is of it. */
export function contentOf({ layerdb, directories, driver, home }: RootState, chainID: ChainID): string | undefined {
  const id = layerdb.layers.get(hexOf(chainID))?.cacheID;
  const found = id === undefined ? undefined : directories.get(id);
  if (id === undefined || found?.node.kind !== "directory") return undefined;
  if (driver === "vfs") return join(home, id);
  const name = driver === "overlay2" ? "diff" : "root";
  return found.nodes.get(name)?.kind === "directory" ? join(home, id, name) : undefined;
}

function configIn({ images }: RootState, id: ImageID): Uint8Array | undefined {
  if (!images.contents.get(hexOf(id))?.config) return undefined;
  try {
    return readFileSync(join(images.path, "imagedb", "content", "sha256", hexOf(id)));
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}
