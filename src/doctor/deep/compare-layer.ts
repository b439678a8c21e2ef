import { assembleSync, Crc64, LayerParser, type TarSplitRecord } from "../../archive/index.js";
import { FilesInside } from "../../driver/index.js";
import { readSplit } from "../../layer/index.js";
import { cleanPath, climbs, DataLoss, Digester, isErrno, messageOf, type Path } from "../../spec/index.js";
import type { Compared, DeepJob } from "./jobs.js";
import { MemberCheck } from "./member-check.js";
import { Tally } from "./tally.js";
import { TreeCheck } from "./tree-check.js";

/**
 * Compares a layer's directory with the layer. Its archive is put together out of the files and hashed, which proves
 * their content; only where that does not give the DiffID is it read again, for which they are. For worker threads.
 *
 * @param onBytes told how many have been read, now and then; may throw to stop
 */
export async function compareLayer(job: DeepJob, onBytes: (bytes: number) => void): Promise<Compared> {
  const told = meter(onBytes);
  try {
    return (await whenWhole(job, told)) ?? (await whenDamaged(job, told));
  } catch (error) {
    if (!(error instanceof DataLoss)) throw error;
    return { differences: [], fromBelow: [], more: 0, splitProblem: messageOf(error) };
  }
}

/** All content is right. @returns undefined: it is not */
async function whenWhole(job: DeepJob, onBytes: (bytes: number) => void): Promise<Compared | undefined> {
  using look = new Look(job);
  const digester = new Digester();
  for await (const records of readSplit(job.split)) {
    try {
      const open = (path: Path, size: number) => look.files.content(path, size);
      for (const piece of assembleSync(records, open, false)) {
        digester.update(piece);
        look.archive(piece);
        onBytes(piece.length);
      }
    } catch (error) {
      // A file is missing, or has another length; a damaged tar-split is found again.
      if (error instanceof DataLoss) return undefined;
      throw error;
    }
  }
  return digester.digest() === job.diffID ? look.end() : undefined;
}

async function whenDamaged(job: DeepJob, onBytes: (bytes: number) => void): Promise<Compared> {
  using look = new Look(job);
  let changed = 0;
  for await (const records of readSplit(job.split)) {
    for (const record of records) {
      if (record.kind === "segment") look.archive(record.payload);
      else {
        changed += checkFile(look, record);
        for (let left = record.size; left > 0; left -= zeros.length) look.archive(zeros.subarray(0, left));
      }
      onBytes(record.kind === "segment" ? record.payload.length : record.size);
    }
  }
  const found = look.end();
  // Whatever differs in content, or is not there to be read, explains the digest.
  if (changed > 0) return found;
  return { ...found, splitProblem: "it is not that of the layer: the archive it makes has another digest" };
}

const zeros = Buffer.alloc(1 << 20);

type FileRecord = Extract<TarSplitRecord, { kind: "file" }>;

/** @returns 1: its content is not what it was */
function checkFile({ files, tally, isParsed }: Look, { name, size, crc }: FileRecord): 0 | 1 {
  if (size === 0 || climbs(name)) return 0;
  const path = cleanPath(name);
  const sum = new Crc64();
  let length = 0;
  try {
    for (const piece of files.content(path, size)) {
      sum.update(piece);
      length += piece.length;
    }
  } catch (error) {
    if (!isErrno(error, "ENOENT", "ENOTDIR", "ELOOP", "EISDIR", "ENXIO", "ENODEV")) throw error;
    // The look at members tells what is the matter, if there is one.
    if (!isParsed) tally.add(path, "missing");
    return 1;
  }
  if (length === size && sum.digest().compare(crc) === 0) return 0;
  tally.add(path, "content", length === size ? {} : { found: `${length} bytes`, expected: `${size} bytes` });
  return 1;
}

/** One look at a layer: its archive, as it passes by, against its directory. */
class Look implements Disposable {
  readonly tally = new Tally();
  readonly files: FilesInside;
  readonly #job: DeepJob;
  readonly #members: MemberCheck;
  readonly #parser: LayerParser;
  #notCompared: string | undefined;

  constructor(job: DeepJob) {
    this.#job = job;
    this.files = new FilesInside(job.tree);
    this.#members = new MemberCheck(job, this.tally);
    this.#parser = new LayerParser(this.#members);
  }

  /** The archive is one that can be taken apart here: dockerd takes some that are not. */
  get isParsed(): boolean {
    return this.#notCompared === undefined;
  }

  archive(bytes: Uint8Array): void {
    this.#parsing(() => this.#parser.write(bytes));
  }

  end(): Compared {
    this.#parsing(() => this.#parser.end());
    if (this.#notCompared !== undefined) {
      return { ...this.tally.result(), fromBelow: [], notCompared: this.#notCompared };
    }
    this.#members.end();
    const unspoken = this.#job.below === undefined ? this.tally : new Tally();
    using tree = new TreeCheck(this.#job, this.#members.told, unspoken);
    tree.run();
    return { ...this.tally.result(), fromBelow: unspoken === this.tally ? [] : unspoken.result().differences };
  }

  #parsing(step: () => void): void {
    if (this.#notCompared !== undefined) return;
    try {
      step();
    } catch (error) {
      if (isErrno(error, "EIO")) throw error;
      this.#notCompared = messageOf(error);
    }
  }

  [Symbol.dispose](): void {
    this.files[Symbol.dispose]();
    this.#members[Symbol.dispose]();
  }
}

/** Told of every few megabytes. */
function meter(onBytes: (bytes: number) => void): (bytes: number) => void {
  let untold = 0;
  return (bytes) => {
    untold += bytes;
    if (untold < 8 << 20) return;
    onBytes(untold);
    untold = 0;
  };
}
