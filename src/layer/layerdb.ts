import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureDirectory } from "../disk/index.js";
import {
  type CacheID,
  type ChainID,
  DataLoss,
  type DiffID,
  type Digest,
  hexOf,
  isCacheID,
  isErrno,
  messageOf,
  parseDigest,
} from "../spec/index.js";

/**
 * Docker's layerdb: one small file a fact, no newline at their ends.
 *
 * @see docs/on-disk.md; dockerd 20.10, layer/filestore.go
 */
export class LayerDB {
  readonly root: string;
  /** One directory a read-only layer, named by the hex of its ChainID. */
  readonly sha256: string;
  /** One directory a writable layer. */
  readonly mounts: string;
  /** Entries that are not whole yet, or no longer. */
  readonly tmp: string;

  /** @param root `image/DRIVER/layerdb` */
  constructor(root: string) {
    this.root = root;
    this.sha256 = join(root, "sha256");
    this.mounts = join(root, "mounts");
    this.tmp = join(root, "tmp");
  }

  /** Makes the directories that are missing. What is no directory stays: its entries count as missing. */
  async make(): Promise<void> {
    await ensureDirectory(this.root, 0o700);
    for (const dir of [this.sha256, this.mounts, this.tmp]) {
      await ensureDirectory(dir, 0o755).catch((error) => {
        if (!isErrno(error, "EEXIST")) throw error;
      });
    }
  }

  layerDir(chainID: ChainID): string {
    return join(this.sha256, hexOf(chainID));
  }

  mountDir(name: string): string {
    return join(this.mounts, name);
  }

  /**
   * Where an entry is put together, and taken apart. Named by the driver's directory that it is about, so that what
   * is left after a crash tells which directory to remove; made before that directory, gone after it.
   */
  writeSetDir(cacheID: CacheID): string {
    return join(this.tmp, `write-set-${cacheID}`);
  }
}

/** What a directory in `sha256/` says. */
export interface LayerRecord {
  readonly chainID: ChainID;
  readonly diffID: DiffID;
  readonly cacheID: CacheID;
  readonly diffSize: number;
  readonly parent?: ChainID;
}

/** What a directory in `mounts/` says. */
export interface MountRecord {
  readonly mountID: CacheID;
  readonly initID?: CacheID;
  readonly parent?: ChainID;
}

/** @throws DataLoss: one line that says what is wrong with it */
export async function readLayerRecord(dir: string, chainID: ChainID): Promise<LayerRecord> {
  const [diff, size, cacheID, parent] = await Promise.all([
    readFact(dir, "diff"),
    readFact(dir, "size"),
    readFact(dir, "cache-id"),
    readFact(dir, "parent", "optional"),
  ]);
  return {
    chainID,
    diffID: digestIn("diff", diff!),
    cacheID: cacheIDIn("cache-id", cacheID!),
    diffSize: sizeIn(size!),
    ...(parent !== undefined && { parent: digestIn<ChainID>("parent", parent) }),
  };
}

/** @throws DataLoss: one line that says what is wrong with it */
export async function readMountRecord(dir: string): Promise<MountRecord> {
  const [mountID, initID, parent] = await Promise.all([
    readFact(dir, "mount-id"),
    readFact(dir, "init-id", "optional"),
    readFact(dir, "parent", "optional"),
  ]);
  return {
    mountID: cacheIDIn("mount-id", mountID!),
    ...(initID !== undefined && { initID: cacheIDIn("init-id", initID) }),
    ...(parent !== undefined && { parent: digestIn<ChainID>("parent", parent) }),
  };
}

/** The files of a layer's entry, tar-split apart, by name. */
export function layerFacts({ diffID, diffSize, cacheID, parent }: LayerRecord): Record<string, string> {
  return { diff: diffID, size: String(diffSize), "cache-id": cacheID, ...(parent && { parent }) };
}

/** The files of a writable layer's entry, by name. */
export function mountFacts({ mountID, initID, parent }: MountRecord): Record<string, string> {
  return { "mount-id": mountID, ...(initID && { "init-id": initID }), ...(parent && { parent }) };
}

async function readFact(dir: string, name: string, need?: "optional"): Promise<string | undefined> {
  try {
    return await readFile(join(dir, name), "utf8");
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw new DataLoss(`${name}: ${messageOf(error)}`, { cause: error });
    if (need === "optional") return undefined;
    throw new DataLoss(`${name} is missing`, { cause: error });
  }
}

function digestIn<D extends Digest = DiffID>(name: string, text: string): D {
  try {
    return parseDigest<D>(text);
  } catch (error) {
    throw new DataLoss(`${name}: ${messageOf(error)}`, { cause: error });
  }
}

function cacheIDIn(name: string, text: string): CacheID {
  const id = text.trim();
  if (isCacheID(id)) return id;
  throw new DataLoss(
    `${name} is ${quote(text)}: want 64 lower-case hex digits, with or without -init, or 25 of BuildKit's`,
  );
}

/** Docker trims all facts but this one: it could not load a layer whose size ends in a newline. */
function sizeIn(text: string): number {
  const size = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(size)) return size;
  throw new DataLoss(`size is ${quote(text)}: want decimal digits only`);
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
