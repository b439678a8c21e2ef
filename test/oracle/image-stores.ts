import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDriver } from "../../src/driver/index.js";
import type { BringParts } from "../../src/engine/pull/bring-layers.js";
import { openPulls } from "../../src/engine/pull/open-pulls.js";
import { openPushes, type Pushes } from "../../src/engine/push/open-pushes.js";
import { DistributionCache, ImageStore, ReferenceStore } from "../../src/image/index.js";
import { LayerStore } from "../../src/layer/index.js";
import { Registries } from "../../src/registry/index.js";
import { type ChainID, chainID, type DiffID, goJSON, sha256, Undo } from "../../src/spec/index.js";
import { rawTar } from "./raw-tar.js";
import { leftovers } from "./root-leftovers.js";

/** Every layer is synced to disk; in memory that costs nothing. */
const memory = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

export type StoresDriver = "vfs" | "overlay2" | "overlay";

/** The stores of a data root, plain copies below: any driver does. */
export class Stores implements AsyncDisposable {
  readonly root: string;
  readonly driver: StoresDriver;
  readonly images: ImageStore;
  readonly references: ReferenceStore;
  readonly layers: LayerStore;
  readonly distribution: DistributionCache;
  readonly registries: Registries;
  readonly pulls: BringParts;
  readonly pushes: Pushes;
  readonly tmp: string;
  /** What was swept at opening. */
  readonly swept: readonly string[];
  readonly #close: () => Promise<void>;

  private constructor(parts: Omit<Stores, "disk" | "left" | typeof Symbol.asyncDispose>, close: () => Promise<void>) {
    ({
      root: this.root,
      driver: this.driver,
      images: this.images,
      references: this.references,
      layers: this.layers,
      distribution: this.distribution,
      registries: this.registries,
      pulls: this.pulls,
      pushes: this.pushes,
      tmp: this.tmp,
      swept: this.swept,
    } = parts);
    this.#close = close;
  }

  /** @param root a new one when left out */
  static async open(root?: string, driverName: StoresDriver = "vfs"): Promise<Stores> {
    const dir = root ?? (await mkdtemp(join(memory, "images-")));
    const at = join(dir, "image", driverName);
    const tmp = join(dir, "tmp");
    await mkdir(tmp, { recursive: true });
    const driver = await openDriver(driverName, dir);
    const layers = await LayerStore.open({ root: at, driver, writable: true });
    const swept: string[] = [];
    const report = (line: string) => swept.push(line);
    const images = await ImageStore.open({ root: at, layers, writable: true, report });
    const references = await ReferenceStore.open(join(at, "repositories.json"), { writable: true });
    const distribution = new DistributionCache(join(at, "distribution"));
    const registries = new Registries();
    const pulls = await openPulls({ root: at, layers, writable: true, atOnce: 3 });
    const pushes = openPushes(5);
    const stores = { images, references, layers, distribution, registries, pulls, pushes };
    return new Stores({ ...stores, root: dir, driver: driverName, tmp, swept }, async () => {
      await registries[Symbol.asyncDispose]();
      await driver.close();
    });
  }

  /** Files under `image/DRIVER`, sorted. */
  async disk(below = ""): Promise<string[]> {
    const home = join(this.root, "image", this.driver);
    const entries = await readdir(join(home, below), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(home.length + 1))
      .sort();
  }

  /** What lies in the root that belongs to nothing. */
  left(): Promise<string[]> {
    return leftovers(this.root, this.driver);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

/** Stores of a root that is gone with them. */
export async function freshStores(driver?: StoresDriver): Promise<Stores & { reopen(): Promise<Stores> }> {
  const undo = new Undo();
  const stores = await Stores.open(undefined, driver);
  undo.defer(() => rm(stores.root, { recursive: true, force: true, maxRetries: 3 }));
  undo.defer(() => stores[Symbol.asyncDispose]());
  return Object.assign(Object.create(stores) as Stores, {
    disk: (below?: string) => stores.disk(below),
    left: () => stores.left(),
    reopen: async () => {
      const again = await Stores.open(stores.root, stores.driver);
      undo.defer(() => again[Symbol.asyncDispose]());
      return again;
    },
    [Symbol.asyncDispose]: () => undo[Symbol.asyncDispose](),
  });
}

/** A layer's tar with these files. */
export function layerTar(files: Readonly<Record<string, string | Buffer>>): Buffer {
  return rawTar(Object.entries(files).map(([name, content]) => ({ name, content, mode: 0o644 })));
}

export async function* bytes(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/** The same in pieces of `size` bytes. */
export async function* inPieces(all: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size);
}

export async function gathered(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** An image config with these layers, bottom first. */
export function configOf(layers: readonly Buffer[], more: object = {}): Buffer {
  const diff_ids = layers.map((layer) => sha256(layer));
  return Buffer.from(goJSON({ architecture: "amd64", os: "linux", ...more, rootfs: { type: "layers", diff_ids } }));
}

/** Registers layers on each other; one handle, on the top, is the caller's. */
export async function registered(layers: LayerStore, tars: readonly Buffer[]): Promise<ChainID> {
  let parent: ChainID | undefined;
  for (const tar of tars) {
    const layer = await layers.register(bytes(tar), { label: "test layer", ...(parent && { parent }) });
    if (parent) await layers.release(parent);
    parent = layer.chainID;
  }
  return parent ?? chainID([sha256("") as DiffID]);
}
