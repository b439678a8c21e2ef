import { readdir, readFile, rm, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { ensureDirectory, sweepTemporary, syncDirectory, writeAtomic } from "../disk/index.js";
import {
  DataLoss,
  type Digest,
  DigestMismatch,
  hexOf,
  type ImageID,
  imageIDOf,
  isErrno,
  messageOf,
  NotFound,
  parseDigest,
  Unavailable,
} from "../spec/index.js";
import type { Image } from "./image.js";
import { maxDocument } from "./limits.js";

/** Docker's files about an image beside its config. */
export type MetadataKey = "parent" | "lastUpdated";

/**
 * The files of `imagedb`: `content/sha256/HEX` a config, `metadata/sha256/HEX/KEY` what else is known of the image.
 * Each file appears whole or not at all; a content file is there durably when `create` resolves, and gone durably when
 * `deleteContent` does.
 *
 * @see moby, image/fs.go
 */
export class ImageDB {
  readonly #content: string;
  readonly #metadata: string;

  private constructor(root: string) {
    this.#content = join(root, "imagedb", "content", "sha256");
    this.#metadata = join(root, "imagedb", "metadata", "sha256");
  }

  /** @param root `image/DRIVER`. @throws Unavailable: a file is in the way */
  static async open(root: string, writable: boolean): Promise<ImageDB> {
    const db = new ImageDB(root);
    if (!writable) return db;
    try {
      for (const dir of [db.#content, db.#metadata]) await ensureDirectory(dir, 0o700);
    } catch (error) {
      throw new Unavailable(`failed to create storage backend: ${messageOf(error)}`, { cause: error });
    }
    return db;
  }

  /** Ids of all content files, sorted; other names are no images. */
  async list(): Promise<ImageID[]> {
    return (await namesIn(this.#content)).filter(isHex).map((hex) => `sha256:${hex}` as ImageID);
  }

  contentPath(id: ImageID): string {
    return join(this.#content, hexOf(id));
  }

  /** @throws NotFound "failed to get digest …"; DigestMismatch "failed to verify …" */
  async read(id: ImageID): Promise<Buffer> {
    const path = this.contentPath(id);
    const bytes = await readLimited(path).catch((error) => {
      if (isErrno(error, "ENOENT")) throw new NotFound(`failed to get digest ${id}: ${path} is not there`);
      throw error;
    });
    const actual: Digest = imageIDOf(bytes);
    if (actual !== id) throw new DigestMismatch(`failed to verify image ${id}`, id, actual);
    return bytes;
  }

  async create(id: ImageID, bytes: Uint8Array): Promise<void> {
    try {
      await writeAtomic(this.contentPath(id), bytes, { mode: 0o600 });
    } catch (error) {
      throw new Unavailable(`failed to write digest data ${id}: ${messageOf(error)}`, { cause: error });
    }
  }

  /** From then on there is no image; what is known of it otherwise can go, now or when it is swept. */
  async deleteContent(id: ImageID): Promise<void> {
    await unlink(this.contentPath(id)).catch((error) => {
      if (!isErrno(error, "ENOENT")) throw error;
    });
    await syncDirectory(this.#content);
  }

  async deleteAllMetadata(id: ImageID): Promise<void> {
    await rm(this.#metadataDir(id), { recursive: true, force: true });
  }

  /** What is recorded of an image; what cannot be read as what it should be counts as not recorded. */
  async metadata(id: ImageID): Promise<Pick<Image, "parent" | "lastTagged">> {
    const [parent, lastTagged] = await Promise.all([this.#text(id, "parent"), this.#text(id, "lastUpdated")]);
    const parentID = parent && imageIDIn(parent);
    return { ...(parentID && { parent: parentID }), ...(lastTagged && { lastTagged }) };
  }

  async setMetadata(id: ImageID, key: MetadataKey, text: string): Promise<void> {
    await ensureDirectory(this.#metadataDir(id), 0o700);
    await writeAtomic(join(this.#metadataDir(id), key), text, { mode: 0o600 });
  }

  async deleteMetadata(id: ImageID, key: MetadataKey): Promise<void> {
    await rm(join(this.#metadataDir(id), key), { force: true });
  }

  /**
   * Removes what operations that were cut off left: temporary files, metadata of images whose content is gone, and
   * `parent` files that name one.
   */
  async sweep(report: (line: string) => void): Promise<void> {
    const remove = async (path: string, why: string) => {
      await rm(path, { recursive: true, force: true });
      report(`removed ${path}: ${why}`);
    };
    const sweepIn = async (dir: string) => {
      for (const name of await sweepTemporary(dir)) report(`removed ${join(dir, name)}: left by an interrupted write`);
    };
    await sweepIn(this.#content);
    const there = new Set<string>(await this.list());
    for (const hex of (await namesIn(this.#metadata)).filter(isHex)) {
      const dir = join(this.#metadata, hex);
      if (!there.has(`sha256:${hex}`)) {
        await remove(dir, "its image is gone");
        continue;
      }
      await sweepIn(dir);
      const { parent } = await this.metadata(`sha256:${hex}` as ImageID);
      if (parent && !there.has(parent)) await remove(join(dir, "parent"), `it names ${parent}, which is gone`);
    }
  }

  #metadataDir(id: ImageID): string {
    return join(this.#metadata, hexOf(id));
  }

  async #text(id: ImageID, key: MetadataKey): Promise<string | undefined> {
    try {
      return (await readFile(join(this.#metadataDir(id), key), "utf8")).trim();
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENOTDIR", "EISDIR")) return undefined;
      throw error;
    }
  }
}

async function readLimited(path: string): Promise<Buffer> {
  const { size } = await stat(path);
  if (size > maxDocument) throw new DataLoss(`${path} has ${size} bytes, more than an image config may have`);
  return readFile(path);
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).sort();
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}

function isHex(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name);
}

function imageIDIn(text: string): ImageID | undefined {
  try {
    return parseDigest<ImageID>(text);
  } catch {
    return undefined;
  }
}
