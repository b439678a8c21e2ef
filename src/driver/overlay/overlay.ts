import { join } from "node:path";
import { removeTree } from "../../disk/index.js";
import type { Change } from "../../overlayfs/index.js";
import { type CacheID, Conflict, Forbidden, InvalidParameter, NotFound, shortID, Undo } from "../../spec/index.js";
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
} from "../driver.js";
import { type Begun, LayerUses } from "../layer-uses.js";
import { beginMerged, endAllMerged } from "../mount/merged-view.js";
import { openTrees } from "../open-trees.js";
import { changedPaths } from "../read/changed-paths.js";
import { paced } from "../read/paced.js";
import { changesIn, openPair, readDiff } from "../read/read-diff.js";
import { sizeOf } from "../read/size-of.js";
import { type CreateParts, createLayer } from "./create.js";
import { type Content, contentOfTree, contentOfUpper } from "./filling.js";
import { Home } from "./home.js";
import { initialize, type Ready } from "./initialize.js";
import { uppersOf } from "./uppers.js";

/**
 * Docker's older `overlay`: an image layer is a whole tree, with hard links to the files of the one below; so overlayfs
 * has two layers, whatever the image. What a layer changes is found by comparing trees. @see docker-data-root 3
 */
export class Overlay implements Driver {
  readonly name = "overlay";
  readonly maxDepth = Number.POSITIVE_INFINITY;
  readonly status: Driver["status"];
  readonly warnings = ["WARNING: the overlay storage-driver is deprecated, and will be removed in a future release."];
  readonly #home: Home;
  readonly #ready: Ready;
  readonly #uses = new LayerUses();
  readonly #copier = new Copier();
  readonly #parts: CreateParts;
  /** Made by this process, and not yet handed out to be changed: they can still be filled. */
  readonly #fresh = new Set<CacheID>();

  private constructor(home: Home, ready: Ready) {
    this.#home = home;
    this.#ready = ready;
    const xattrPrefix = ready.features.userxattr ? "user.overlay." : "trusted.overlay.";
    this.#parts = { home, copier: this.#copier, xattrPrefix };
    this.status = [
      ["Backing Filesystem", ready.backing],
      ["Supports d_type", "true"],
    ];
  }

  /** @see openDriver */
  static async open(dataRoot: string, options: DriverOptions = {}): Promise<Overlay> {
    const home = join(dataRoot, "overlay");
    return new Overlay(new Home(home), await initialize(dataRoot, home, options));
  }

  get bytesCopied(): number {
    return this.#copier.bytesCopied;
  }

  async create(id: CacheID, parent?: CacheID, { storage = {} }: CreateOptions = {}): Promise<void> {
    this.#assertWritable();
    if (Object.keys(storage).length > 0) throw new InvalidParameter("--storage-opt is not supported for overlay");
    await this.#uses.locked(parent === undefined ? [id] : [id, parent], async () => {
      if (parent !== undefined) this.#uses.assertNotClaimed(parent);
      await createLayer(this.#parts, id, parent);
      this.#fresh.add(id);
      if (parent !== undefined) this.#fresh.delete(parent);
    });
  }

  async has(id: CacheID): Promise<boolean> {
    return this.#home.has(id);
  }

  async list(): Promise<CacheID[]> {
    return this.#home.list();
  }

  async remove(id: CacheID): Promise<void> {
    this.#assertWritable();
    await this.#uses.locked([id], async () => {
      this.#uses.assertUnused(id);
      this.#fresh.delete(id);
      await removeTree(this.#home.layer(id));
    });
  }

  async fill(id: CacheID): Promise<Filling> {
    this.#assertWritable();
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
    await this.#assertThere(id);
    const parent = await this.#home.parentOf(id);
    if (parent === undefined) return openTrees(() => this.mount(id), undefined);
    const native = this.#ready.nativeDiff && (await this.#openUppers(id, parent));
    return (
      native ||
      openTrees(
        () => this.mount(id),
        () => this.mount(parent),
      )
    );
  }

  async *changes(id: CacheID): AsyncGenerator<PathChange, void> {
    await using open = await this.openDiff(id);
    if (open.source.kind !== "upper") yield* changedPaths(openPair(open.source));
  }

  async diffSize(id: CacheID): Promise<number> {
    await using open = await this.openDiff(id);
    return await sizeOf(changesIn(open.source, "none"));
  }

  /** An image layer's tree is not mounted, but who holds it is counted all the same. It is not to be written to. */
  async mount(id: CacheID): Promise<Mounted> {
    return this.#uses.share(id, () => this.#begin(id));
  }

  async metadata(id: CacheID): Promise<Record<string, string>> {
    await this.#assertThere(id);
    const home = this.#home;
    if (await home.isTree(id)) return { RootDir: home.file(id, "root") };
    return {
      LowerDir: home.file(await home.lowerOf(id), "root"),
      MergedDir: join(home.layer(id), "merged"),
      UpperDir: home.file(id, "upper"),
      WorkDir: home.file(id, "work"),
    };
  }

  async close(keep: readonly CacheID[] = []): Promise<void> {
    await this.#copier.close();
    if (!this.#ready.readOnly) await endAllMerged(this.#home.path, keep);
  }

  async #openUppers(id: CacheID, parent: CacheID): Promise<OpenDiff | undefined> {
    await using undo = new Undo();
    const holds: AsyncDisposable[] = [];
    const letGo = async () => void (await Promise.all(holds.map((hold) => hold[Symbol.asyncDispose]())));
    undo.defer(letGo);
    for (const each of [id, parent]) holds.push(await this.#hold(each));
    const source = await uppersOf(this.#home, id, parent, this.#parts.xattrPrefix);
    if (source === undefined) return undefined;
    undo.done();
    return { source, [Symbol.asyncDispose]: letGo };
  }

  #hold(id: CacheID): Promise<AsyncDisposable> {
    return this.#uses.hold(id, () => this.#assertThere(id));
  }

  async #begin(id: CacheID): Promise<Begun> {
    await this.#assertThere(id);
    this.#fresh.delete(id);
    if (await this.#home.isTree(id)) return { path: this.#home.file(id, "root"), end: async () => {} };
    this.#assertWritable();
    const lower = await this.#home.lowerOf(id);
    const upper = { dir: `${id}/upper`, work: `${id}/work` };
    const stack = { lowers: [`${lower}/root`], upper, target: `${id}/merged` };
    return beginMerged(this.#home.path, stack, this.#ready.features);
  }

  async #fill(id: CacheID): Promise<Filling> {
    await this.#assertThere(id);
    this.#uses.assertUnused(id);
    if (!this.#fresh.has(id)) throw new Conflict(`layer ${shortID(id)} has content already`);
    await using undo = new Undo();
    const release = this.#uses.claim(id);
    undo.defer(release);
    const parent = await this.#home.parentOf(id);
    // It has to stay until its files have their further names.
    const hold = parent && (await this.#hold(parent));
    const letGo = async () => {
      await hold?.[Symbol.asyncDispose]();
      release();
    };
    undo.defer(letGo);
    const content = await this.#content(id, parent);
    undo.done();
    return { target: content.target, ...this.#ending(id, content, letGo) };
  }

  async #content(id: CacheID, parent: CacheID | undefined): Promise<Content> {
    if (parent === undefined || (await this.#home.isTree(parent))) return contentOfTree(this.#parts, id, parent);
    const { path, end } = await this.#begin(id);
    const merged = { path, [Symbol.asyncDispose]: end };
    return contentOfUpper(this.#parts, id, { parent, merged });
  }

  #ending(id: CacheID, content: Content, letGo: () => Promise<void>): Omit<Filling, "target"> {
    let isOpen = true;
    return {
      commit: async () => {
        const path = await content.commit();
        this.#fresh.delete(id);
        isOpen = false;
        await letGo();
        return path;
      },
      [Symbol.asyncDispose]: async () => {
        if (!isOpen) return;
        isOpen = false;
        try {
          await content.abandon();
          this.#fresh.add(id);
        } finally {
          await letGo();
        }
      },
    };
  }

  #assertWritable(): void {
    if (!this.#ready.readOnly) return;
    throw new Forbidden(`${this.#home.path} is open to be read only: nothing is made or mounted`);
  }

  async #assertThere(id: CacheID): Promise<void> {
    if (!(await this.#home.has(id))) throw new NotFound(`there is no layer ${shortID(id)}`);
  }
}
