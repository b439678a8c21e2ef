import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "../../disk/index.js";
import type { Change } from "../../overlayfs/index.js";
import { type CacheID, randomID } from "../../spec/index.js";
import type { CreateOptions, Driver, LayerWriter } from "../driver.js";
import { openWriter } from "../write/open-writer.js";
import type { WholeChange } from "./changes.js";
import { snapshot } from "./snapshot.js";

export type OpenDriver = (dataRoot: string) => Promise<Driver>;

/** A driver on a data root of its own, and short ways to use it. */
export class Bench implements AsyncDisposable {
  readonly dataRoot: string;
  readonly driver: Driver;
  readonly #scratch: string;

  private constructor(scratch: string, dataRoot: string, driver: Driver) {
    this.#scratch = scratch;
    this.dataRoot = dataRoot;
    this.driver = driver;
  }

  /** @param below the data root's path inside the scratch directory, made here */
  static async open(open: OpenDriver, below = "root"): Promise<Bench> {
    const scratch = await mkdtemp(join(tmpdir(), "layerkit-driver-"));
    const dataRoot = join(scratch, below);
    await mkdir(dataRoot, { recursive: true });
    return new Bench(scratch, dataRoot, await open(dataRoot));
  }

  /** A directory beside the data root. */
  outside(name: string): string {
    return join(this.#scratch, name);
  }

  /** A new layer. */
  async create(parent?: CacheID, options?: CreateOptions): Promise<CacheID> {
    const id = randomID();
    await this.driver.create(id, parent, options);
    return id;
  }

  /** A new layer that holds `changes`. @returns its id */
  async layer(parent: CacheID | undefined, changes: Iterable<WholeChange>): Promise<CacheID> {
    const id = await this.create(parent);
    await this.fill(id, changes);
    return id;
  }

  /** Several layers, bottom first. @returns the top one */
  async stack(layers: readonly (readonly WholeChange[])[]): Promise<CacheID | undefined> {
    let top: CacheID | undefined;
    for (const changes of layers) top = await this.layer(top, changes);
    return top;
  }

  /** @returns bytes, as the writer counts them */
  async fill(id: CacheID, changes: Iterable<WholeChange>): Promise<number> {
    await using filling = await this.driver.fill(id);
    const writer = openWriter(filling.target);
    let bytes: number;
    try {
      for (const change of changes) writeWhole(writer, change);
      bytes = writer.finish();
    } finally {
      writer[Symbol.dispose]();
    }
    await filling.commit();
    return bytes;
  }

  /** Runs `work` in the layer's tree. */
  async within<T>(id: CacheID, work: (path: string) => T | Promise<T>): Promise<T> {
    await using mounted = await this.driver.mount(id);
    return await work(mounted.path);
  }

  /** The merged tree in lines. */
  async tree(id: CacheID): Promise<string[]> {
    return this.within(id, (path) => snapshot(path));
  }

  async changes(id: CacheID): Promise<string[]> {
    const lines: string[] = [];
    const letters = { modified: "C", added: "A", deleted: "D" };
    for await (const { kind, path } of this.driver.changes(id)) lines.push(`${letters[kind]} ${path}`);
    return lines;
  }

  /** What the layer changes, with contents read. */
  async diff(id: CacheID): Promise<WholeChange[]> {
    const all: WholeChange[] = [];
    for await (const change of this.driver.diff(id)) all.push(await whole(change));
    return all;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.driver.close();
    await removeTree(this.#scratch);
    await rm(this.#scratch, { recursive: true, force: true });
  }
}

export function writeWhole(writer: LayerWriter, change: WholeChange): void {
  writer.change(change);
  if (change.kind === "file" && change.size > 0) writer.data(change.content);
}

async function whole(change: Change): Promise<WholeChange> {
  if (change.kind !== "file") return change;
  const chunks: Uint8Array[] = [];
  for await (const chunk of change.body) chunks.push(chunk);
  const { kind, path, meta, size } = change;
  return { kind, path, meta, size, content: Buffer.concat(chunks) };
}
