import { mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { diskFacts } from "../../../test/oracle/disk-facts.js";
import { Blobs, dockerArchive, refName, type Sample } from "../../../test/oracle/image-archives.js";
import { configOf, inPieces, Stores, type StoresDriver } from "../../../test/oracle/image-stores.js";
import { rawTar } from "../../../test/oracle/raw-tar.js";
import { loadArchive } from "../../image/index.js";
import { verifyBare } from "../../layer/index.js";
import { type ChainID, chainID, type DiffID, hexOf, type ImageID, sha256 } from "../../spec/index.js";
import type { Finding, Step } from "../check/finding.js";
import { readRoot } from "../root/read-root.js";
import type { RootState } from "../root/root-state.js";
import { type Repaired, repair } from "./repair.js";
import { contentOf } from "./sources/root-source.js";
import type { Source } from "./sources/source.js";

/** Two images with two layers in common, and all that the drivers keep in different ways in them. */
export const layers = [
  rawTar([
    { name: "d/", type: "5", mode: 0o1755 },
    { name: "d/below", content: "below\n", mode: 0o600 },
    { name: "d/also", content: "also\n" },
    { name: "a", content: "one\n", mode: 0o4755 },
    { name: "b", type: "1", linkname: "a", mode: 0o4755 },
    { name: "gone", content: "gone\n" },
    { name: "soft", type: "2", linkname: "d/below" },
    { name: "fifo", type: "6", mode: 0o640 },
    { name: "null", type: "3", device: [1, 3], mode: 0o666 },
    { name: "o/", type: "5", mode: 0o700 },
    { name: "o/hidden", content: "hidden\n" },
    { name: "kept/deep/file", content: "kept in all layers\n" },
    { name: "big", content: "x".repeat(300_000), mode: 0o644 },
  ]),
  rawTar([
    { name: "a", content: "two\n", mode: 0o755 },
    { name: ".wh.gone" },
    { name: "o/", type: "5", mode: 0o700 },
    { name: "o/.wh..wh..opq" },
    { name: "o/shown", content: "shown\n", mode: 0o644 },
    { name: "o/linked", type: "1", linkname: "o/shown", mode: 0o644 },
  ]),
  rawTar([{ name: "d/", type: "5", mode: 0o1755 }, { name: "d/.wh.also" }, { name: "top/file", content: "top\n" }]),
] as const;

export const base: Sample = { layers: layers.slice(0, 2), tags: ["base:1"] };
export const app: Sample = { layers: [...layers], tags: ["app:1"] };
export const idOf = ({ layers }: Sample) => sha256(configOf(layers)) as ImageID;
/** Bottom first. */
export const chain: ChainID[] = layers.map((_, at) =>
  chainID(layers.slice(0, at + 1).map((tar) => sha256(tar)) as [DiffID, ...DiffID[]]),
);

/** A data root with the two images, written by our stores; disposing removes it. */
export class DamagedRoot implements AsyncDisposable {
  readonly path: string;
  readonly driver: StoresDriver;
  readonly #made = Date.now() - 60_000;

  static async make(driver: StoresDriver): Promise<DamagedRoot> {
    const root = new DamagedRoot(mkdtempSync("/dev/shm/layerkit-repair-"), driver);
    mkdirSync(root.root);
    await using stores = await Stores.open(root.root, driver);
    for await (const _ of loadArchive(inPieces(dockerArchive([base, app]), 1 << 16), stores));
    return root;
  }

  private constructor(path: string, driver: StoresDriver) {
    this.path = path;
    this.driver = driver;
  }

  get root(): string {
    return join(this.path, "root");
  }

  get home(): string {
    return this.driver === "vfs" ? join(this.root, "vfs/dir") : join(this.root, this.driver);
  }

  /** The entry of layer `at` in the layerdb. */
  entry(at: number, name = ""): string {
    return join(this.root, "image", this.driver, "layerdb/sha256", hexOf(chain[at]!), name);
  }

  config(image: Sample): string {
    return join(this.root, "image", this.driver, "imagedb/content/sha256", hexOf(idOf(image)));
  }

  /** The directory of layer `at`. */
  directory(at: number): string {
    return join(this.home, readFileSync(this.entry(at, "cache-id"), "utf8"));
  }

  /** What layer `at` has, by `path` in it. */
  file(at: number, path = ""): string {
    const trees = { overlay2: "diff", overlay: "root", vfs: "" };
    return join(this.directory(at), trees[this.driver], path);
  }

  /** Of all that is in layers. Times that no layer says are those of their making. */
  facts(): string[] {
    return diskFacts(this.home, this.#made).filter((line) => !/^[^ ]*(merged|work|committed|\/parent)/.test(line));
  }

  /** Whether every layer gives back the tar that it came as. */
  async expectWhole(): Promise<string[]> {
    await using stores = await Stores.open(this.root, this.driver);
    const wrong: string[] = stores.layers.damaged.map(({ path, why }) => `${path}: ${why}`);
    for (const [at, id] of chain.entries()) {
      const pieces: Uint8Array[] = [];
      try {
        for await (const piece of stores.layers.tar(id)) pieces.push(Buffer.from(piece));
      } catch (error) {
        wrong.push(`layer ${at}: ${(error as Error).message}`);
        continue;
      }
      if (sha256(Buffer.concat(pieces)) !== sha256(layers[at]!)) wrong.push(`layer ${at} gives other bytes`);
    }
    return wrong;
  }

  /** A file with the images, in the form of `docker save` or as an OCI layout. */
  async archive(form: "docker" | "docker.gz" | "oci"): Promise<string> {
    const path = join(this.path, `images.${form}.tar`);
    const blobs = new Blobs();
    if (form === "oci") {
      const manifest = blobs.manifest(
        app,
        app.layers.map((tar) => gzipSync(tar)),
        refName("app:1"),
      );
      await writeFile(path, blobs.layout([manifest]));
    } else {
      const archive = dockerArchive([base, app]);
      await writeFile(path, form === "docker" ? archive : gzipSync(archive));
    }
    return path;
  }

  /** Repairs where `steps` are all that is found; told once. */
  async mend(steps: readonly Step[], sources: readonly Source[] = []): Promise<Repaired & { readonly told: string[] }> {
    const told: string[] = [];
    const finding = (step: Step): Finding => ({
      ...{
        kind: "test",
        severity: "damage",
        path: this.root,
        what: "damaged by a test",
        means: "",
        images: [],
        containers: [],
      },
      remedy: [step],
    });
    let asked = 0;
    const repaired = await repair(this.root, {
      driver: this.driver,
      sources,
      examine: () => (asked++ === 0 ? steps.map(finding) : []),
      tell: async ({ outcome, text }) => void told.push(`${outcome}: ${text}`),
    });
    return { ...repaired, told };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** IDs of images that have their config, and all of whose layers give back what their digests say; sorted. */
export async function wholeImages(root: string, driver: StoresDriver): Promise<ImageID[]> {
  const state = await readRoot(root, driver);
  const whole: ImageID[] = [];
  for (const { id, config, chain } of state.images.contents.values()) {
    if (!id || !config) continue;
    const layers = chain.map((chainID, at) => isWholeLayer(state, chainID, config.rootfs.diff_ids[at]!, chain[at - 1]));
    if ((await Promise.all(layers)).every(Boolean)) whole.push(id);
  }
  return whole.sort();
}

async function isWholeLayer(state: RootState, chainID: ChainID, diffID: DiffID, parent?: ChainID): Promise<boolean> {
  const entry = state.layerdb.layers.get(hexOf(chainID));
  const root = contentOf(state, chainID);
  if (!entry || root === undefined) return false;
  if (entry.diffID !== diffID || entry.parent !== parent || entry.diffSize === undefined) return false;
  const split = join(state.layerdb.path, "sha256", hexOf(chainID), "tar-split.json.gz");
  return await verifyBare({ root, split, diffID }).then(
    () => true,
    () => false,
  );
}

export const restore = (at: number): Step => ({ kind: "restore-layer", chainID: chain[at]! });
