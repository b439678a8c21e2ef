import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type CacheID, DataLoss, isCacheID, shortID } from "../../spec/index.js";
import { readIfThere } from "../layer-files.js";
import { pathExists, pathOfLayer } from "../layer-names.js";

/**
 * What lies where in `overlay/`: an image layer is a whole tree, `root`; a writable layer has `upper`, `work` and the
 * name of the one image layer below it, `lower-id`. Ours alone is `parent`, where Docker's files do not tell it.
 *
 * @see docker-data-root 3.1
 */
export class Home {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** @throws InvalidParameter: an id that would lead elsewhere */
  layer(id: CacheID): string {
    return pathOfLayer(this.path, id);
  }

  /** @param name `tmproot`: a tree that is to be `root` */
  file(id: CacheID, name: "root" | "tmproot" | "upper" | "work" | "lower-id" | "parent"): string {
    return join(this.layer(id), name);
  }

  async has(id: CacheID): Promise<boolean> {
    return pathExists(this.layer(id));
  }

  /** Whether the layer is a whole tree, which is not mounted. */
  async isTree(id: CacheID): Promise<boolean> {
    return pathExists(this.file(id, "root"));
  }

  /** All that Docker's ids name; what else lies in the home is not ours. */
  async list(): Promise<CacheID[]> {
    const entries = await readdir(this.path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory() && isCacheID(entry.name)).map((entry) => entry.name);
  }

  /** The image layer whose tree a writable layer lies on. */
  async lowerOf(id: CacheID): Promise<CacheID> {
    const lower = (await readIfThere(this.file(id, "lower-id")))?.trim();
    if (lower) return lower;
    throw new DataLoss(`layer ${shortID(id)} has neither a root nor a lower-id: its directory is damaged`);
  }

  /** The layer that this one was made upon; of an image layer that Docker made it is not known. */
  async parentOf(id: CacheID): Promise<CacheID | undefined> {
    const parent = (await readIfThere(this.file(id, "parent")))?.trim();
    if (parent) return parent;
    if (await this.isTree(id)) return undefined;
    const init = initOf(id);
    return (await this.has(init)) ? init : this.lowerOf(id);
  }
}

/** By this name Docker finds the init layer that a container lies on. */
export function initOf(id: CacheID): CacheID {
  return `${id}-init` as CacheID;
}
