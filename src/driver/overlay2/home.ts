import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { readdir, readlink, symlink, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type CacheID, isCacheID } from "../../spec/index.js";
import { readIfThere } from "../layer-files.js";
import { ifMissing, pathExists, pathOfLayer } from "../layer-names.js";

/** Most entries of `lower`: a chain has one layer more. */
export const mostLowers = 128;

/** What lies where in `overlay2/`. @see docker-data-root 2.1 */
export class Home {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** @throws InvalidParameter: an id that would lead elsewhere */
  layer(id: CacheID): string {
    return pathOfLayer(this.path, id);
  }

  file(id: CacheID, name: "diff" | "work" | "merged" | "link" | "lower" | "committed"): string {
    return join(this.layer(id), name);
  }

  async has(id: CacheID): Promise<boolean> {
    return pathExists(this.layer(id));
  }

  /** All that Docker's ids name; what else lies in the home is not ours. */
  async list(): Promise<CacheID[]> {
    const entries = await readdir(this.path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory() && isCacheID(entry.name)).map((entry) => entry.name);
  }

  /** Names below the home of the layers under `id`, as `l/LINK`, top first; undefined when there are none. */
  async lowers(id: CacheID): Promise<string[] | undefined> {
    const text = await readIfThere(this.file(id, "lower"));
    return text === undefined || text === "" ? undefined : text.split(":");
  }

  /** What `lower` of a layer over `parent` holds. */
  async lowersOver(parent: CacheID): Promise<string[]> {
    const link = readFileSync(this.file(parent, "link"), "utf8");
    return [`l/${link}`, ...((await this.lowers(parent)) ?? [])];
  }

  /** The layer directly below. */
  async parentOf(id: CacheID): Promise<CacheID | undefined> {
    const [first] = (await this.lowers(id)) ?? [];
    return first === undefined ? undefined : basename(dirname(this.#targetOf(first)));
  }

  /** Absolute paths of the `diff` directories under `id`, top first. @throws the error of readlink: one is missing */
  async lowerDirs(id: CacheID): Promise<string[]> {
    const lowers = (await this.lowers(id)) ?? [];
    return lowers.map((lower) => this.#targetOf(lower));
  }

  #targetOf(lower: string): string {
    return join(this.path, "l", readlinkSync(join(this.path, lower)));
  }

  /** Makes the short name under which mount options speak of the layer, as `/proc/mounts` then shows. */
  async makeLink(id: CacheID): Promise<string> {
    const link = randomLink();
    await symlink(`../${id}/diff`, join(this.path, "l", link));
    return link;
  }

  /** Also without its `link` file, or with an empty one or one of zeros: a crash may have kept it from being written. */
  async removeLink(id: CacheID): Promise<void> {
    const link = (await readIfThere(this.file(id, "link"))) ?? "";
    if (!/^[\w-]+$/.test(link)) return this.#removeLinksTo(id);
    await unlink(join(this.path, "l", link)).catch(ifMissing);
  }

  async #removeLinksTo(id: CacheID): Promise<void> {
    for (const name of await readdir(join(this.path, "l"))) {
      const path = join(this.path, "l", name);
      const target = await readlink(path).catch(() => undefined);
      if (target === `../${id}/diff`) await unlink(path).catch(ifMissing);
    }
  }
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** 26 characters of base32 (RFC 4648), as Docker draws them. */
function randomLink(): string {
  return Array.from(randomBytes(26), (byte) => alphabet[byte & 31]).join("");
}
