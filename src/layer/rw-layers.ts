import { syncFileSystem } from "../disk/index.js";
import type { Mounted, PathChange } from "../driver/index.js";
import type { Change } from "../overlayfs/index.js";
import {
  AlreadyExists,
  type CacheID,
  type ChainID,
  Conflict,
  emptyDiffID,
  InvalidParameter,
  NotFound,
  randomID,
} from "../spec/index.js";
import { labelled } from "../threads/index.js";
import { deleteLayers } from "./deletion.js";
import type { Unpacked } from "./jobs.js";
import type { Layer, ReleasedLayer, RWLayer } from "./layer.js";
import { layerThreads } from "./layer-threads.js";
import { stage } from "./loose-layer.js";
import { assertRoom, place } from "./place.js";
import { type FillRW, makeRW, unmakeRW } from "./rw-entry.js";
import { mustBeWritable, type StoreParts } from "./store-parts.js";

export interface CreateRWOptions {
  /** The image's top chain; none: over nothing. */
  readonly parent?: ChainID;
  /** Puts the `-init` layer between: the files and directories that a runtime mounts upon. Containers have it. */
  readonly init?: boolean;
  /** Storage options, as `docker create --storage-opt` gives them. */
  readonly storage?: Readonly<Record<string, string>>;
}

export interface CommitRWOptions {
  readonly signal?: AbortSignal;
  /** Told how many bytes of the layer's archive have been made so far, now and then. */
  readonly onBytes?: (made: number) => void;
}

/**
 * Writable layers by name, as `layerdb/mounts` records them. Each refers to its parent chain until removed.
 * Every method that takes a name throws NotFound for one that is not there, unless it says otherwise.
 */
export class RWLayers {
  readonly #parts: StoreParts;
  /** Names being made or removed: taken, and not there. */
  readonly #reserved = new Set<string>();
  /** How many mounts and commits are on a name. */
  readonly #uses = new Map<string, number>();

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  /** All writable layers, in no order. */
  list(): RWLayer[] {
    return [...this.#parts.rwLayers.values()];
  }

  find(name: string): RWLayer | undefined {
    return this.#parts.rwLayers.get(name);
  }

  get(name: string): RWLayer {
    const rw = this.find(name);
    if (!rw) throw new NotFound(`no writable layer has the name ${name}`);
    return rw;
  }

  /**
   * Makes a writable layer, all or nothing.
   *
   * @param name the container's id, or any name of a build step: one path component
   * @throws AlreadyExists: the name is taken; NotFound "layer does not exist": no such parent; InvalidParameter: bad
   * name, bad storage options
   */
  async create(name: string, { parent, init = false, storage = {} }: CreateRWOptions = {}): Promise<RWLayer> {
    mustBeWritable(this.#parts);
    if (!/^[^/\0]{1,255}$/.test(name) || name === "." || name === "..") {
      throw new InvalidParameter(`invalid name for a writable layer: ${JSON.stringify(name.slice(0, 300))}`);
    }
    if (this.find(name) || this.#reserved.has(name)) throw new AlreadyExists(`mount already exists with name ${name}`);
    if (parent) this.#parts.layers.depend(parent);
    this.#reserved.add(name);
    try {
      const mountID: CacheID = randomID();
      const ids = { mountID, ...(init && { initID: `${mountID}-init` as CacheID }), ...(parent && { parent }) };
      const rw: RWLayer = { name, ...ids };
      await makeRW(this.#parts, rw, storage);
      this.#parts.rwLayers.set(name, rw);
      return rw;
    } catch (error) {
      if (parent) await deleteLayers(this.#parts, this.#parts.layers.undepend(parent));
      throw error;
    } finally {
      this.#reserved.delete(name);
    }
  }

  /** Makes a writable layer that another store has, under the ids that it has there. All or nothing. @see makeRW */
  async adopt(rw: RWLayer, fill: FillRW): Promise<void> {
    mustBeWritable(this.#parts);
    if (this.find(rw.name)) throw new AlreadyExists(`mount already exists with name ${rw.name}`);
    if (rw.parent) this.#parts.layers.depend(rw.parent);
    try {
      await makeRW(this.#parts, rw, {}, fill);
      this.#parts.rwLayers.set(rw.name, rw);
    } catch (error) {
      if (rw.parent) this.#parts.layers.undepend(rw.parent);
      throw labelled(`container ${rw.name}`, error);
    }
  }

  /** The merged view, read-write, until disposed; mounts of one name are counted. */
  async mount(name: string): Promise<Mounted> {
    mustBeWritable(this.#parts);
    const { mountID } = this.get(name);
    const done = this.#use(name);
    try {
      const mounted = await this.#parts.driver.mount(mountID);
      return {
        path: mounted.path,
        [Symbol.asyncDispose]: async () => {
          await mounted[Symbol.asyncDispose]();
          done();
        },
      };
    } catch (error) {
      done();
      throw error;
    }
  }

  /** What the layer changes over its image and init layer: what a commit records. Read lazily. */
  diff(name: string): AsyncIterable<Change> {
    return this.#parts.driver.diff(this.get(name).mountID);
  }

  /** What `docker diff` lists, sorted by path; the init layer's files are no difference. */
  changes(name: string): AsyncIterable<PathChange> {
    return this.#parts.driver.changes(this.get(name).mountID);
  }

  /** Bytes the layer holds itself, init layer not counted. */
  async size(name: string): Promise<number> {
    return this.#parts.driver.diffSize(this.get(name).mountID);
  }

  /** Where the layer lies, as `GraphDriver.Data` of a container shows. */
  async metadata(name: string): Promise<Record<string, string>> {
    return this.#parts.driver.metadata(this.get(name).mountID);
  }

  /**
   * Deletes the layer and its init layer, and gives the parent chain back. An absent one is no error.
   *
   * @returns the read-only layers this deleted, top first
   * @throws Conflict: it is mounted or being committed; it is then as before
   */
  async remove(name: string): Promise<ReleasedLayer[]> {
    mustBeWritable(this.#parts);
    const rw = this.find(name);
    if (!rw) return [];
    this.assertUnused(name);
    this.#parts.rwLayers.delete(name);
    this.#reserved.add(name);
    try {
      await unmakeRW(this.#parts, rw);
    } catch (error) {
      this.#parts.rwLayers.set(name, rw);
      throw error;
    } finally {
      this.#reserved.delete(name);
    }
    return rw.parent ? deleteLayers(this.#parts, this.#parts.layers.undepend(rw.parent)) : [];
  }

  /** @throws Conflict: it is mounted or being committed */
  assertUnused(name: string): void {
    if (this.#uses.has(name)) throw new Conflict(`the writable layer ${name} is in use: unmount it first`);
  }

  /**
   * Makes what the layer changes a read-only layer on its parent chain; the caller has a handle on it then.
   *
   * @returns undefined when nothing is changed: no layer is made
   */
  async commit(name: string, { signal, onBytes }: CommitRWOptions = {}): Promise<Layer | undefined> {
    mustBeWritable(this.#parts);
    const { mountID, parent } = this.get(name);
    const { driver, layers } = this.#parts;
    const done = this.#use(name);
    try {
      const below = parent && layers.get(parent);
      assertRoom(below, 1);
      await using loose = await stage(this.#parts, below, async (target, split) => {
        await using diff = await driver.openDiff(mountID);
        // All that was written goes to disk in one go: blocks are shared once they are there, file by file otherwise.
        await syncFileSystem(target.root);
        const job = { kind: "record", target, split, source: diff.source } as const;
        return await layerThreads.run<Unpacked>(job, { signal, onBytes });
      });
      if (loose.diffID === emptyDiffID) return undefined;
      const [layer] = await place(this.#parts, [loose], parent);
      return layer;
    } catch (error) {
      throw signal?.aborted ? signal.reason : labelled(`commit of ${name}`, error);
    } finally {
      done();
    }
  }

  /** Keeps a name from being removed. @returns to be called once it may be again */
  #use(name: string): () => void {
    this.#uses.set(name, (this.#uses.get(name) ?? 0) + 1);
    return () => {
      const left = (this.#uses.get(name) ?? 1) - 1;
      if (left > 0) this.#uses.set(name, left);
      else this.#uses.delete(name);
    };
  }
}
