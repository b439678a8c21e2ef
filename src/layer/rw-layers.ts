import type { Mounted, PathChange } from "../driver/index.js";
import type { Change } from "../overlayfs/index.js";
import type { ChainID } from "../spec/index.js";
import { NotImplemented } from "../spec/index.js";
import type { Layer, ReleasedLayer, RWLayer } from "./layer.js";

export interface CreateRWOptions {
  /** The image's top chain; none: over nothing. */
  readonly parent?: ChainID;
  /** Puts the `-init` layer between: the files and directories that a runtime mounts upon. Containers have it. */
  readonly init?: boolean;
  /** Storage options, as `docker create --storage-opt` gives them. */
  readonly storage?: Readonly<Record<string, string>>;
}

/**
 * Writable layers by name, as `layerdb/mounts` records them. Each refers to its parent chain until removed.
 * Every method that takes a name throws NotFound for one that is not there, unless it says otherwise.
 */
export class RWLayers {
  /** All writable layers, in no order. */
  list(): RWLayer[] {
    throw new NotImplemented("RWLayers.list");
  }

  find(_name: string): RWLayer | undefined {
    throw new NotImplemented("RWLayers.find");
  }

  get(_name: string): RWLayer {
    throw new NotImplemented("RWLayers.get");
  }

  /**
   * Makes a writable layer, all or nothing.
   *
   * @param name the container's id, or any name of a build step: one path component
   * @throws Conflict: the name is taken; NotFound "layer does not exist": no such parent; InvalidParameter: bad name,
   * bad storage options
   */
  async create(_name: string, _options: CreateRWOptions = {}): Promise<RWLayer> {
    throw new NotImplemented("RWLayers.create");
  }

  /** The merged view, read-write, until disposed; mounts of one name are counted. */
  async mount(_name: string): Promise<Mounted> {
    throw new NotImplemented("RWLayers.mount");
  }

  /** What the layer changes over its image and init layer: what a commit records. Read lazily. */
  diff(_name: string): AsyncIterable<Change> {
    throw new NotImplemented("RWLayers.diff");
  }

  /** What `docker diff` lists, sorted by path; the init layer's files are no difference. */
  changes(_name: string): AsyncIterable<PathChange> {
    throw new NotImplemented("RWLayers.changes");
  }

  /** Bytes the layer holds itself, init layer not counted. */
  async size(_name: string): Promise<number> {
    throw new NotImplemented("RWLayers.size");
  }

  /** Where the layer lies, as `GraphDriver.Data` of a container shows. */
  async metadata(_name: string): Promise<Record<string, string>> {
    throw new NotImplemented("RWLayers.metadata");
  }

  /**
   * Deletes the layer and its init layer, and gives the parent chain back. An absent one is no error.
   *
   * @returns the read-only layers this deleted, top first
   * @throws Conflict: it is mounted
   */
  async remove(_name: string): Promise<ReleasedLayer[]> {
    throw new NotImplemented("RWLayers.remove");
  }

  /**
   * Makes what the layer changes a read-only layer on its parent chain; the caller has a handle on it then.
   *
   * @returns undefined when nothing is changed: no layer is made
   */
  async commit(
    _name: string,
    _options?: { readonly signal?: AbortSignal; readonly onBytes?: (taken: number) => void },
  ): Promise<Layer | undefined> {
    throw new NotImplemented("RWLayers.commit");
  }
}
