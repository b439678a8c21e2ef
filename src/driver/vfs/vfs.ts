import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureDirectory, removeTree } from "../../disk/index.js";
import type { Change } from "../../overlayfs/index.js";
import {
  AlreadyExists,
  type CacheID,
  Conflict,
  InvalidParameter,
  isCacheID,
  NotFound,
  shortID,
  Unavailable,
  Undo,
} from "../../spec/index.js";
import { ownersAreLimited } from "../checks/user-namespace.js";
import { Copier } from "../copy/copier.js";
import type {
  CreateOptions,
  Driver,
  DriverOptions,
  Filling,
  Mounted,
  OpenContent,
  OpenDiff,
  PathChange,
  WriteTarget,
} from "../driver.js";
import { ifMissing, pathExists, pathOfLayer } from "../layer-names.js";
import { LayerUses } from "../layer-uses.js";
import { openTrees } from "../open-trees.js";
import { changedPaths } from "../read/changed-paths.js";
import { paced } from "../read/paced.js";
import { changesIn, openPair, readDiff } from "../read/read-diff.js";
import { sizeOf } from "../read/size-of.js";

/**
 * Docker's `vfs`: each layer a whole tree in `vfs/dir/ID`, copied from its parent's. Works on any file system and
 * needs no mount. Docker keeps no record of parents; ours is in `vfs/parent/ID`, which Docker takes no notice of.
 */
export class Vfs implements Driver {
  readonly name = "vfs";
  readonly maxDepth = Number.POSITIVE_INFINITY;
  readonly status: Driver["status"] = [];
  readonly #dirs: string;
  readonly #parents: string;
  readonly #uses = new LayerUses();
  readonly #copier = new Copier();
  /** Made by this process, and not yet handed out to be changed: they can still be filled. */
  readonly #fresh = new Set<CacheID>();

  private constructor(home: string) {
    this.#dirs = join(home, "dir");
    this.#parents = join(home, "parent");
  }

  /** @see openDriver */
  static async open(dataRoot: string, options: DriverOptions = {}): Promise<Vfs> {
    const [unknown] = options.storageOptions ?? [];
    if (unknown !== undefined) throw new InvalidParameter(`vfs: unknown option ${unknown}`);
    const home = join(dataRoot, "vfs");
    const directories = options.readOnly ? [] : [home, join(home, "dir"), join(home, "parent")];
    for (const dir of directories) await ensureDirectory(dir, 0o710);
    if (options.readOnly && !(await pathExists(home))) throw new Unavailable(`there is no ${home} to be read`);
    return new Vfs(home);
  }

  get bytesCopied(): number {
    return this.#copier.bytesCopied;
  }

  async create(id: CacheID, parent?: CacheID, { storage = {} }: CreateOptions = {}): Promise<void> {
    const [option] = Object.keys(storage);
    if (option !== undefined) throw new InvalidParameter("--storage-opt is not supported for vfs");
    await this.#uses.locked(parent === undefined ? [id] : [id, parent], () => this.#create(id, parent));
  }

  async has(id: CacheID): Promise<boolean> {
    return pathExists(this.#dir(id));
  }

  async list(): Promise<CacheID[]> {
    return (await readdir(this.#dirs)).filter(isCacheID);
  }

  async remove(id: CacheID): Promise<void> {
    await this.#uses.locked([id], async () => {
      this.#uses.assertUnused(id);
      await this.#delete(id);
    });
  }

  async fill(id: CacheID): Promise<Filling> {
    return this.#uses.locked([id], () => this.#fill(id));
  }

  async *diff(id: CacheID): AsyncGenerator<Change, void> {
    await using open = await this.openDiff(id);
    yield* paced(readDiff(open.source));
  }

  async openContent(id: CacheID): Promise<OpenContent> {
    return this.mount(id);
  }

  async openDiff(id: CacheID): Promise<OpenDiff> {
    const parent = await this.#parentOf(id);
    return openTrees(() => this.mount(id), parent === undefined ? undefined : () => this.mount(parent));
  }

  async *changes(id: CacheID): AsyncGenerator<PathChange, void> {
    await using open = await this.openDiff(id);
    if (open.source.kind !== "upper") yield* changedPaths(openPair(open.source));
  }

  async diffSize(id: CacheID): Promise<number> {
    await using open = await this.openDiff(id);
    return await sizeOf(changesIn(open.source, "none"));
  }

  /** Nothing is mounted, but who holds the tree is counted all the same. */
  async mount(id: CacheID): Promise<Mounted> {
    return this.#uses.share(id, async () => {
      await this.#assertThere(id);
      this.#fresh.delete(id);
      return { path: this.#dir(id), end: async () => {} };
    });
  }

  async metadata(id: CacheID): Promise<Record<string, string>> {
    await this.#assertThere(id);
    return {};
  }

  async close(): Promise<void> {
    await this.#copier.close();
  }

  async #create(id: CacheID, parent: CacheID | undefined): Promise<void> {
    if (await this.has(id)) throw new AlreadyExists(`layer ${shortID(id)} exists already`);
    if (parent !== undefined) {
      await this.#assertThere(parent);
      this.#uses.assertNotClaimed(parent);
    }
    await using undo = new Undo();
    undo.defer(() => this.#delete(id));
    await this.#makeTree(id, parent);
    if (parent !== undefined) await writeFile(pathOfLayer(this.#parents, id), parent, { mode: 0o600 });
    undo.done();
    this.#fresh.add(id);
  }

  async #makeTree(id: CacheID, parent: CacheID | undefined): Promise<void> {
    await mkdir(this.#dir(id));
    await chmod(this.#dir(id), 0o755);
    if (parent !== undefined) await this.#copier.copy({ from: this.#dir(parent), to: this.#dir(id) });
  }

  async #delete(id: CacheID): Promise<void> {
    this.#fresh.delete(id);
    // In this order: a tree that is left is still listed.
    await rm(pathOfLayer(this.#parents, id), { force: true });
    await removeTree(this.#dir(id));
  }

  async #fill(id: CacheID): Promise<Filling> {
    await this.#assertThere(id);
    this.#uses.assertUnused(id);
    if (!this.#fresh.has(id)) throw new Conflict(`layer ${shortID(id)} has content already`);
    const release = this.#uses.claim(id);
    this.#fresh.delete(id);
    let open = true;
    const end = () => {
      open = false;
      release();
    };
    return {
      target: targetIn(this.#dir(id)),
      commit: async () => {
        end();
        return this.#dir(id);
      },
      [Symbol.asyncDispose]: async () => {
        if (!open) return;
        await removeTree(this.#dir(id));
        await this.#makeTree(id, await this.#parentOf(id));
        this.#fresh.add(id);
        end();
      },
    };
  }

  #dir(id: CacheID): string {
    return pathOfLayer(this.#dirs, id);
  }

  /** Of a layer that Docker made only a container's parent is known: its init layer. */
  async #parentOf(id: CacheID): Promise<CacheID | undefined> {
    const parent = await readFile(pathOfLayer(this.#parents, id), "utf8").catch(ifMissing);
    if (parent !== undefined) return parent;
    const init = `${id}-init`;
    return isCacheID(init) && (await this.has(init)) ? init : undefined;
  }

  async #assertThere(id: CacheID): Promise<void> {
    if (!(await this.has(id))) throw new NotFound(`there is no layer ${shortID(id)}`);
  }
}

/** The root entry of a layer applies, as in all drivers that compare trees (docker-data-root 9.6). */
function targetIn(root: string): WriteTarget {
  const whiteouts = "remove";
  const lenient = ownersAreLimited();
  return { root, base: "", whiteouts, xattrPrefix: "trusted.overlay.", impliedMode: 0o755, rootMeta: true, lenient };
}
