import { join } from "node:path";
import type { Change } from "../../overlayfs/index.js";
import { type CacheID, Forbidden, InvalidParameter, NotFound, shortID, Undo } from "../../spec/index.js";
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
import { LayerUses } from "../layer-uses.js";
import { endAllMerged } from "../mount/merged-view.js";
import { openTrees } from "../open-trees.js";
import { changedPaths } from "../read/changed-paths.js";
import { Redirected } from "../read/lower.js";
import { paced } from "../read/paced.js";
import { changesIn, openPair, readDiff } from "../read/read-diff.js";
import { hasRedirects } from "../read/redirects.js";
import { sizeOf } from "../read/size-of.js";
import { UponLayers } from "../read/upon-layers.js";
import { attachLayer, createLayer, deleteLayer, type Quota } from "./create.js";
import { fillLayer, hideBelowRoot } from "./filling.js";
import { Home, mostLowers } from "./home.js";
import { initialize, type Ready } from "./initialize.js";
import { mergedView } from "./merged-view.js";
import { sizeLimit } from "./options.js";

/** Docker's `overlay2`: a directory a layer, mounted together by overlayfs. @see docker-data-root 2 */
export class Overlay2 implements Driver {
  readonly name = "overlay2";
  readonly maxDepth = mostLowers + 1;
  readonly status: Driver["status"];
  readonly #home: Home;
  readonly #ready: Ready;
  readonly #xattrPrefix: string;
  readonly #uses = new LayerUses();
  /** Filled by this driver, and hiding all that is below their root: what that takes on disk depends on what it is. */
  readonly #opaque = new Set<CacheID>();

  private constructor(home: Home, ready: Ready) {
    this.#home = home;
    this.#ready = ready;
    this.#xattrPrefix = ready.features.userxattr ? "user.overlay." : "trusted.overlay.";
    this.status = [
      ["Backing Filesystem", ready.backing],
      ["Supports d_type", "true"],
      ["Native Overlay Diff", String(ready.nativeDiff)],
      ["userxattr", String(ready.features.userxattr)],
    ];
  }

  /** @see openDriver */
  static async open(dataRoot: string, options: DriverOptions = {}): Promise<Overlay2> {
    const home = join(dataRoot, "overlay2");
    return new Overlay2(new Home(home), await initialize(dataRoot, home, options));
  }

  async create(id: CacheID, parent?: CacheID, { storage }: CreateOptions = {}): Promise<void> {
    this.#assertWritable();
    const quota = this.#quotaFor(storage);
    const ids = parent === undefined ? [id] : [id, parent];
    await this.#uses.locked(ids, () => createLayer(this.#home, id, parent, quota));
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
      await deleteLayer(this.#home, id);
      this.#opaque.delete(id);
    });
  }

  async fill(id: CacheID): Promise<Filling> {
    this.#assertWritable();
    this.#opaque.delete(id);
    const { userxattr } = this.#ready.features;
    const onOpaque = () => {
      this.#opaque.add(id);
      return hideBelowRoot(this.#home, id, this.#uses, userxattr);
    };
    return this.#uses.locked([id], () => fillLayer(this.#home, id, { uses: this.#uses, userxattr, onOpaque }));
  }

  async attach(id: CacheID, parent: CacheID): Promise<void> {
    this.#assertWritable();
    const { userxattr } = this.#ready.features;
    const adapt = async () => {
      if (this.#opaque.has(id)) await hideBelowRoot(this.#home, id, this.#uses, userxattr);
    };
    await this.#uses.locked([id, parent], () => {
      this.#uses.assertUnused(id);
      return attachLayer(this.#home, id, parent, adapt);
    });
  }

  async *diff(id: CacheID): AsyncGenerator<Change, void> {
    await using open = await this.openDiff(id);
    yield* paced(readDiff(open.source));
  }

  async openContent(id: CacheID): Promise<OpenContent> {
    const hold = await this.#hold(id);
    return { path: this.#home.file(id, "diff"), [Symbol.asyncDispose]: () => hold[Symbol.asyncDispose]() };
  }

  async openDiff(id: CacheID): Promise<OpenDiff> {
    await using undo = new Undo();
    const hold = await this.#hold(id);
    undo.defer(() => hold[Symbol.asyncDispose]());
    const root = this.#home.file(id, "diff");
    if (!(await this.#isNative(root))) return await this.#openTrees(id);
    undo.done();
    const source = { kind: "upper", root, xattrPrefix: this.#xattrPrefix } as const;
    return { source, [Symbol.asyncDispose]: () => hold[Symbol.asyncDispose]() };
  }

  async #openTrees(id: CacheID): Promise<OpenDiff> {
    const parent = await this.#home.parentOf(id);
    return openTrees(() => this.mount(id), parent === undefined ? undefined : () => this.mount(parent));
  }

  async *changes(id: CacheID): AsyncGenerator<PathChange, void> {
    await using _hold = await this.#hold(id);
    let told = 0;
    try {
      if (!this.#ready.nativeDiff) throw new Redirected();
      const lowers = await this.#home.lowerDirs(id);
      const pair = UponLayers.open(this.#home.file(id, "diff"), lowers, this.#xattrPrefix);
      for await (const change of changedPaths(pair)) {
        told++;
        yield change;
      }
    } catch (error) {
      if (!(error instanceof Redirected)) throw error;
      // In the merged trees the order is the same, and so is what has been told.
      for await (const change of this.#changesMerged(id)) if (told-- <= 0) yield change;
    }
  }

  async *#changesMerged(id: CacheID): AsyncGenerator<PathChange, void> {
    await using open = await this.#openTrees(id);
    if (open.source.kind !== "upper") yield* changedPaths(openPair(open.source));
  }

  async diffSize(id: CacheID): Promise<number> {
    await using open = await this.openDiff(id);
    return await sizeOf(changesIn(open.source, "none"));
  }

  async mount(id: CacheID): Promise<Mounted> {
    this.#assertWritable();
    return this.#uses.share(id, () => mergedView(this.#home, id, this.#ready.features));
  }

  async metadata(id: CacheID): Promise<Record<string, string>> {
    await this.#assertThere(id);
    const home = this.#home;
    const lowers = await home.lowerDirs(id);
    return {
      WorkDir: home.file(id, "work"),
      MergedDir: home.file(id, "merged"),
      UpperDir: home.file(id, "diff"),
      ...(lowers.length > 0 && { LowerDir: lowers.join(":") }),
    };
  }

  async close(keep: readonly CacheID[] = []): Promise<void> {
    if (!this.#ready.readOnly) await endAllMerged(this.#home.path, keep);
  }

  #assertWritable(): void {
    if (this.#ready.readOnly)
      throw new Forbidden(`${this.#home.path} is open to be read only: nothing is made or mounted`);
  }

  #hold(id: CacheID): Promise<AsyncDisposable> {
    return this.#uses.hold(id, () => this.#assertThere(id));
  }

  async #assertThere(id: CacheID): Promise<void> {
    if (!(await this.#home.has(id))) throw new NotFound(`there is no layer ${shortID(id)}`);
  }

  /** Whether the upper directory tells all; it does not of a directory that another kernel setting has renamed. */
  async #isNative(upper: string): Promise<boolean> {
    return this.#ready.nativeDiff && !(await hasRedirects(upper, this.#xattrPrefix));
  }

  #quotaFor(storage: CreateOptions["storage"]): Quota | undefined {
    const bytes = sizeLimit(storage, this.#ready.options);
    if (bytes === 0) return undefined;
    const control = this.#ready.quota;
    if (control) return { control, bytes };
    throw new InvalidParameter("--storage-opt is supported only for overlay over xfs with 'pquota' mount option");
  }
}
