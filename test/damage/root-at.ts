import { readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RootDriver } from "./docker-root.js";

/** A layer of an image: its entry in the layerdb, and its directory. */
export interface LayerAt {
  readonly entry: string;
  readonly cacheID: string;
  readonly dir: string;
  /** Of its files: `diff`, `root`. */
  readonly tree: string;
}

export interface ContainerAt {
  readonly id: string;
  readonly dir: string;
  readonly config: string;
  readonly entry: string;
  readonly mountID: string;
  /** Directories of the writable and of the init layer, and of their files. */
  readonly mount: string;
  readonly init: string;
  readonly upper: string;
  readonly initUpper: string;
}

/** Where in a layer's directory its files are. */
const trees = {
  overlay2: { layer: "diff", writable: "diff" },
  overlay: { layer: "root", writable: "upper" },
  vfs: { layer: "", writable: "" },
} as const;

/** Where things are in a root that `dockerRoot` made: found by Docker's formats alone, with none of our code. */
export class RootAt {
  readonly path: string;
  readonly driver: RootDriver;

  constructor(path: string, driver: RootDriver) {
    this.path = path;
    this.driver = driver;
  }

  get home(): string {
    return join(this.path, this.driver === "vfs" ? "vfs/dir" : this.driver);
  }

  get images(): string {
    return join(this.path, "image", this.driver);
  }

  get layerdb(): string {
    return join(this.images, "layerdb");
  }

  get tags(): string {
    return join(this.images, "repositories.json");
  }

  /** Hex of an image's ID. */
  image(name: string): string {
    const { Repositories } = JSON.parse(this.read(this.tags)) as {
      Repositories: Record<string, Record<string, string>>;
    };
    const id = Object.values(Repositories).flatMap((refs) => refs[name] ?? [])[0];
    if (id === undefined) throw new Error(`no image ${name} in ${this.tags}`);
    return id.slice("sha256:".length);
  }

  config(name: string): string {
    return join(this.images, "imagedb/content/sha256", this.image(name));
  }

  metadata(name: string): string {
    return join(this.images, "imagedb/metadata/sha256", this.image(name));
  }

  /** An image's layers, bottom first. */
  layers(name: string): LayerAt[] {
    const { rootfs } = JSON.parse(this.read(this.config(name))) as { rootfs: { diff_ids: string[] } };
    const all = readdirSync(join(this.layerdb, "sha256")).map((hex) => join(this.layerdb, "sha256", hex));
    const found: LayerAt[] = [];
    let parent: string | undefined;
    for (const diffID of rootfs.diff_ids) {
      const entry = all.find(
        (each) => this.read(join(each, "diff")) === diffID && this.maybe(join(each, "parent")) === parent,
      );
      if (entry === undefined) throw new Error(`no layer ${diffID} on ${parent}`);
      const cacheID = this.read(join(entry, "cache-id"));
      const dir = join(this.home, cacheID);
      found.push({ entry, cacheID, dir, tree: join(dir, trees[this.driver].layer) });
      parent = `sha256:${entry.slice(-64)}`;
    }
    return found;
  }

  container(name: string): ContainerAt {
    const id = readdirSync(join(this.path, "containers")).find((each) => this.#nameOf(each) === `/${name}`);
    if (id === undefined) throw new Error(`no container ${name}`);
    const dir = join(this.path, "containers", id);
    const entry = join(this.layerdb, "mounts", id);
    const mountID = this.read(join(entry, "mount-id"));
    const [mount, init] = [join(this.home, mountID), join(this.home, `${mountID}-init`)];
    const tree = trees[this.driver].writable;
    const uppers = { upper: join(mount, tree), initUpper: join(init, tree) };
    return { id, dir, config: join(dir, "config.v2.json"), entry, mountID, mount, init, ...uppers };
  }

  /** Undefined: its configuration is damaged, or it is none. */
  #nameOf(id: string): string | undefined {
    const text = this.maybe(join(this.path, "containers", id, "config.v2.json")) ?? "";
    return /"Name":"([^"]*)"/.exec(text)?.[1];
  }

  /** overlay2: the symlink that leads to a layer. */
  link(dir: string): string {
    return join(this.home, "l", this.read(join(dir, "link")));
  }

  target(link: string): string {
    return readlinkSync(link);
  }

  read(file: string): string {
    return readFileSync(file, "utf8");
  }

  maybe(file: string): string | undefined {
    try {
      return this.read(file);
    } catch {
      return undefined;
    }
  }

  write(file: string, text: string): void {
    writeFileSync(file, text);
  }

  remove(path: string): void {
    rmSync(path, { recursive: true });
  }

  /** Cuts a file to the first half of it. */
  halve(file: string): void {
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.subarray(0, bytes.length / 2));
  }

  /** Changes a JSON file. */
  edit(file: string, change: (value: Record<string, unknown>) => void): void {
    const value = JSON.parse(this.read(file)) as Record<string, unknown>;
    change(value);
    writeFileSync(file, `${JSON.stringify(value)}\n`);
  }
}
