import { existsSync, lchownSync, readFileSync, symlinkSync } from "node:fs";
import { rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { OldForm } from "../../archive/index.js";
import { ensureDirectory, removeTree } from "../../disk/index.js";
import { type DiffSource, type Driver, type IdMap, openDriver } from "../../driver/index.js";
import { fillInitLayer, recordBare, unpackBare } from "../../layer/index.js";
import { type CacheID, DataLoss, type DiffID, DigestMismatch, isErrno, randomID, Undo } from "../../spec/index.js";
import { textOf } from "../root/fact.js";
import { homeOf, writableTree } from "../root/read-home.js";
import { type RemappedRoot, remappedRoot } from "../root/remapped.js";
import type { RootState } from "../root/root-state.js";
import { quarantineName } from "./quarantine.js";

/** A layer made anew, whose tar has been hashed; it has no name yet. */
export interface FreshLayer {
  /** The driver's directory for it, as it has to lie in the home. */
  readonly directory: string;
  /** overlay2: the short name that it has been given. */
  readonly link?: string;
  /** Inside `directory`: its content. */
  readonly content: string;
  readonly split: string;
  readonly diffSize: number;
}

/** A layer to be made. */
interface Wanted {
  readonly id: CacheID;
  /** Directory of the layer that it stands on. */
  readonly below?: CacheID | undefined;
  readonly diffID: DiffID;
  /** What ids of its archive are on disk; the same unless given. */
  readonly ids?: IdMap | undefined;
}

/** What a layer's content comes from: a tar, or what another directory changes. */
export type Content =
  | { readonly tar: AsyncIterable<Uint8Array> }
  | { readonly source: DiffSource; readonly form?: OldForm | undefined };

function stagingIn(root: string): string {
  return join(root, quarantineName, "staging");
}

/** With the quarantine, of a repair that has kept nothing. */
async function remove(staging: string): Promise<void> {
  await removeTree(staging);
  await rmdir(dirname(staging)).catch((error) => {
    if (!isErrno(error, "ENOTEMPTY", "EEXIST", "ENOENT")) throw error;
  });
}

/**
 * A small data root inside the damaged one, on the same file system, in which layers are made anew by the same driver.
 * The layers below are seen in it by symlinks. Disposing removes it; what a repair that was killed left of it goes with
 * the next.
 */
export class Staging implements AsyncDisposable {
  readonly #root: string;
  readonly #driver: Driver;
  readonly #name: RootState["driver"];
  /** What 0:0 in containers is on disk, where users are remapped. */
  readonly #owner: RemappedRoot | undefined;

  /** @param state only its paths are used */
  static async open({ root, driver: name }: Pick<RootState, "root" | "driver">): Promise<Staging> {
    const path = stagingIn(root);
    await removeTree(path);
    await ensureDirectory(path, 0o700);
    await using failed = new Undo();
    failed.defer(() => removeTree(path));
    const driver = await openDriver(name, path);
    failed.done();
    return new Staging(path, driver, { name, owner: remappedRoot(root) });
  }

  private constructor(
    root: string,
    driver: Driver,
    { name, owner }: { readonly name: RootState["driver"]; readonly owner: RemappedRoot | undefined },
  ) {
    this.#root = root;
    this.#driver = driver;
    this.#name = name;
    this.#owner = owner;
  }

  /** A directory for anything else, which goes with all. */
  get tmp(): string {
    return this.#root;
  }

  /**
   * Makes a layer with the name `id`; one that was made with it before is gone then.
   *
   * @throws DigestMismatch: the content is not `diffID`; what reading it threw, and what is wrong with the tar
   */
  async make(
    state: RootState,
    { id, below, diffID, ids }: Wanted,
    content: Content,
    signal?: AbortSignal,
  ): Promise<FreshLayer> {
    await this.#driver.remove(id);
    if (below !== undefined) await this.#showBelow(state, below);
    await this.#create(id, below);
    const split = join(this.#root, `${randomID()}.json.gz`);
    await using filling = await this.#driver.fill(id);
    const into = { target: { ...filling.target, ...(ids && { ids }) }, split };
    const { diffSize } =
      "tar" in content
        ? await unpackBare(content.tar, into, { expected: diffID, signal })
        : await this.#recorded(content, into, diffID, signal);
    const made = await filling.commit();
    const directory = join(homeOf(this.#root, this.#name), id);
    const link = this.#name === "overlay2" ? { link: readFileSync(join(directory, "link"), "utf8") } : {};
    return { directory, content: made, split, diffSize, ...link };
  }

  /**
   * Begins a writable layer as its driver does, an init layer with what a runtime mounts upon.
   *
   * @returns path of its files
   */
  async begin(state: RootState, id: CacheID, below: CacheID | undefined): Promise<string> {
    await this.#driver.remove(id);
    if (below !== undefined) await this.#showBelow(state, below);
    await this.#create(id, below);
    if (id.endsWith("-init")) {
      await using mounted = await this.#driver.mount(id);
      fillInitLayer(mounted.path, this.#owner);
    }
    return join(homeOf(this.#root, this.#name), id, writableTree(this.#name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#driver.close();
    await remove(this.#root);
  }

  /** Removes what a repair that was killed has left, where the next has nothing to make. */
  static async sweep({ root }: Pick<RootState, "root">): Promise<void> {
    await remove(stagingIn(root));
  }

  /** As a driver does whose containers' root is another user on disk. */
  async #create(id: CacheID, below: CacheID | undefined): Promise<void> {
    await this.#driver.create(id, below);
    if (!this.#owner) return;
    const directory = join(homeOf(this.#root, this.#name), id);
    const { uid, gid } = this.#owner;
    const isTree = this.#name === "vfs";
    lchownSync(directory, isTree ? uid : 0, gid);
    for (const name of isTree ? [] : ["diff", "root", "upper", "work"]) {
      if (existsSync(join(directory, name))) lchownSync(join(directory, name), uid, gid);
    }
  }

  async #recorded(
    { source, form }: Extract<Content, { readonly source: DiffSource }>,
    into: Parameters<typeof recordBare>[1],
    diffID: DiffID,
    signal?: AbortSignal,
  ) {
    const recorded = await recordBare(source, into, { form, signal });
    if (recorded.diffID === diffID) return recorded;
    throw new DigestMismatch("the layer's files, packed again", diffID, recorded.diffID);
  }

  /** The directories below, each under its own name, and for overlay2 their short names. */
  async #showBelow(state: RootState, below: CacheID): Promise<void> {
    const home = homeOf(this.#root, this.#name);
    const show = (id: string) => this.#point(join(home, id), join(state.home, id));
    await show(below);
    if (this.#name !== "overlay2") return;
    const found = state.directories.get(below);
    const [own, lower] = [textOf(found?.link), textOf(found?.lower)];
    if (own === undefined) throw new DataLoss(`the layer below has no link: ${join(state.home, below)}`);
    await this.#point(join(home, "l", own), `../${below}/diff`);
    for (const name of lower === undefined || lower === "" ? [] : lower.split(":")) {
      const link = name.replace(/^l\//, "");
      const target = state.links.get(link)?.target ?? "";
      const id = /^\.\.\/([^/]+)\/diff$/.exec(target)?.[1];
      if (id === undefined) throw new DataLoss(`the layers below are not whole: ${join(state.home, name)}`);
      await this.#point(join(home, "l", link), target);
      await show(id);
    }
  }

  /** In place of a layer that was made here, too: it has become the one below. */
  async #point(path: string, target: string): Promise<void> {
    await removeTree(path);
    symlinkSync(target, path);
  }
}
