import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ensureDirectory, writeAtomic } from "../disk/index.js";
import { type DiffID, type Digest, goJSON, hexOf, isErrno, parseDigest } from "../spec/index.js";
import { Serial } from "./serial.js";

/** A compressed form of a layer, and a repository that has it. */
export interface BlobSource {
  readonly digest: Digest;
  /** Host and path: `docker.io/library/busybox`. */
  readonly repository: string;
  /** Says with which credentials it was seen there; "" with none. */
  readonly hmac: string;
}

/** As many as dockerd keeps of one layer. */
const most = 50;

/**
 * Which compressed blobs a layer came in and went out as: Docker's `distribution` directory. It is a cache: what is
 * not there, or cannot be read, is not known; a layer pushed again then is uploaded again.
 *
 * @see moby, distribution/metadata/v2_metadata_service.go
 */
export class DistributionCache {
  readonly #root: string;
  readonly #serial = new Serial();

  /** @param root absolute path of `image/DRIVER/distribution`; made with the first entry */
  constructor(root: string) {
    this.#root = root;
  }

  /** What a compressed blob unpacks to. */
  async diffIDOf(blob: Digest): Promise<DiffID | undefined> {
    return digestIn<DiffID>(await this.#read(this.#diffIDPath(blob)));
  }

  /** The blobs of a layer, the one seen last at the end. */
  async sourcesOf(diffID: DiffID): Promise<BlobSource[]> {
    return sourcesIn(await this.#read(this.#sourcesPath(diffID)));
  }

  /** Records a blob of a layer; one that is known already becomes the one seen last. */
  async record(diffID: DiffID, source: BlobSource): Promise<void> {
    await this.#serial.run(async () => {
      const others = (await this.sourcesOf(diffID)).filter((other) => !isSame(other, source));
      await this.#write(this.#diffIDPath(source.digest), diffID);
      await this.#write(this.#sourcesPath(diffID), textOf([...others, source].slice(-most)));
    });
  }

  /** Records what a verified blob unpacks to; no repository is known to have it. */
  async learn(blob: Digest, diffID: DiffID): Promise<void> {
    await this.#serial.run(() => this.#write(this.#diffIDPath(blob), diffID));
  }

  /** Takes a blob away that turned out not to be where it was said to be. */
  async forget(diffID: DiffID, source: BlobSource): Promise<void> {
    await this.#serial.run(async () => {
      const sources = await this.sourcesOf(diffID);
      const others = sources.filter((other) => !isSame(other, source));
      if (others.length < sources.length) await this.#write(this.#sourcesPath(diffID), textOf(others));
    });
  }

  #diffIDPath(blob: Digest): string {
    return join(this.#root, "diffid-by-digest", "sha256", hexOf(blob));
  }

  #sourcesPath(diffID: DiffID): string {
    return join(this.#root, "v2metadata-by-diffid", "sha256", hexOf(diffID));
  }

  async #read(path: string): Promise<string> {
    try {
      return await readFile(path, "utf8");
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENOTDIR", "EISDIR")) return "";
      throw error;
    }
  }

  async #write(path: string, text: string): Promise<void> {
    await ensureDirectory(this.#root, 0o700);
    await ensureDirectory(dirname(path), 0o755);
    await writeAtomic(path, text, { mode: 0o644 });
  }
}

function isSame(a: BlobSource, b: BlobSource): boolean {
  return a.digest === b.digest && a.repository === b.repository && a.hmac === b.hmac;
}

function textOf(sources: readonly BlobSource[]): string {
  return goJSON(
    sources.map(({ digest, repository, hmac }) => ({ Digest: digest, SourceRepository: repository, HMAC: hmac })),
  );
}

function sourcesIn(text: string): BlobSource[] {
  const listed = parsed(text);
  if (!Array.isArray(listed)) return [];
  return listed.flatMap((entry: { Digest?: unknown; SourceRepository?: unknown; HMAC?: unknown } | null) => {
    const digest = typeof entry?.Digest === "string" ? digestIn(entry.Digest) : undefined;
    if (!digest || typeof entry?.SourceRepository !== "string") return [];
    return [{ digest, repository: entry.SourceRepository, hmac: typeof entry.HMAC === "string" ? entry.HMAC : "" }];
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function digestIn<D extends Digest = Digest>(text: string): D | undefined {
  try {
    return parseDigest<D>(text);
  } catch {
    return undefined;
  }
}
