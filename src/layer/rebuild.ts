import { createReadStream } from "node:fs";
import { assembleSync, decompressed, freed, TarSplitReader, type TarSplitRecord } from "../archive/index.js";
import { FilesInside } from "../driver/index.js";
import { DataLoss, Digester, isErrno, messageOf, type Path } from "../spec/index.js";
import type { RebuildJob, VerifyJob } from "./jobs.js";

/**
 * The archive of a layer, byte for byte, out of its tar-split and its files. For worker threads: files are read
 * synchronously; whatever names the tar-split has, none outside of `job.root` is opened.
 *
 * @throws DataLoss: not the bytes that were registered
 */
export async function* rebuild(job: RebuildJob): AsyncGenerator<Uint8Array> {
  const { diffID } = job;
  const digester = new Digester();
  // One digest over all finds what sums of the files would find; which file it is, they are asked only then.
  for await (const chunk of assembled(job, false)) {
    digester.update(chunk);
    yield chunk;
  }
  if (digester.digest() === diffID) return;
  for await (const _ of assembled(job, true));
  throw new DataLoss(
    `could not verify layer data for: ${diffID}. This may be because internal files in the layer store were ` +
      "modified. Re-pulling or rebuilding this image may resolve the issue",
  );
}

/** @throws DataLoss: the archive is not what was registered @param onBytes told how many have been read, now and then */
export async function verify({ root, split, diffID }: VerifyJob, onBytes: (bytes: number) => void): Promise<void> {
  let untold = 0;
  for await (const chunk of rebuild({ kind: "rebuild", root, split, diffID })) {
    untold += chunk.length;
    if (untold < 8 << 20) continue;
    onBytes(untold);
    untold = 0;
  }
}

async function* assembled({ root, split }: RebuildJob, sumsMatter: boolean): AsyncGenerator<Uint8Array> {
  using files = new FilesInside(root);
  const open = (path: Path, size: number) => files.content(path, size);
  for await (const records of readSplit(split)) yield* assembleSync(records, open, sumsMatter);
}

/** Bytes that `rebuild` gives, by the tar-split alone. */
export async function measure(split: string): Promise<number> {
  let bytes = 0;
  for await (const records of readSplit(split)) {
    for (const record of records) bytes += record.kind === "file" ? record.size : record.payload.length;
  }
  return bytes;
}

/**
 * The records of a tar-split file, some at a time: a promise for each would take longer than all else. Each record is
 * to be used before the next is asked for.
 */
export async function* readSplit(path: string): AsyncGenerator<Iterable<TarSplitRecord>> {
  const reader = new TarSplitReader(true);
  try {
    const bytes = createReadStream(path, { highWaterMark: 256 << 10 });
    for await (const chunk of decompressed(freed(bytes), { isBrief: true })) yield reader.read(chunk);
  } catch (error) {
    throw unreadable(error);
  }
  reader.end();
}

function unreadable(cause: unknown): DataLoss {
  const missing = "tar-split.json.gz is missing: the layer can be used, but not be saved or pushed";
  return new DataLoss(isErrno(cause, "ENOENT") ? missing : `tar-split damaged: ${messageOf(cause)}`, { cause });
}
