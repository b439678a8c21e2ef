import { createReadStream } from "node:fs";
import { assembleSync, type TarSplitRecord, tarSplitRecords } from "../archive/index.js";
import { readTree } from "../driver/index.js";
import { DataLoss, Digester, isErrno, type Path } from "../spec/index.js";
import type { RebuildJob } from "./jobs.js";

/** So many records are taken at once: one promise for all of them instead of one for each. */
const batch = 512;

/**
 * The archive of a layer, byte for byte, out of its tar-split and its files. For worker threads: files are read
 * synchronously; whatever names the tar-split has, none outside of `job.root` is opened.
 *
 * @throws DataLoss: not the bytes that were registered
 */
export async function* rebuild({ root, split, diffID }: RebuildJob): AsyncGenerator<Uint8Array> {
  const digester = new Digester();
  const open = (path: Path) => contentOf(root, path);
  for await (const records of batches(readSplit(split))) {
    for (const chunk of assembleSync(records, open)) {
      digester.update(chunk);
      yield chunk;
    }
  }
  if (digester.digest() === diffID) return;
  throw new DataLoss(
    `could not verify layer data for: ${diffID}. This may be because internal files in the layer store were ` +
      "modified. Re-pulling or rebuilding this image may resolve the issue",
  );
}

/** Bytes that `rebuild` gives, by the tar-split alone. */
export async function measure(split: string): Promise<number> {
  let bytes = 0;
  for await (const record of readSplit(split)) {
    bytes += record.kind === "file" ? record.size : record.payload.length;
  }
  return bytes;
}

async function* readSplit(path: string): AsyncGenerator<TarSplitRecord> {
  try {
    yield* tarSplitRecords(createReadStream(path, { highWaterMark: 256 << 10 }));
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
    throw new DataLoss("tar-split.json.gz is missing: the layer runs, it cannot be saved or pushed", { cause: error });
  }
}

async function* batches<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let some: T[] = [];
  for await (const item of items) {
    if (some.push(item) < batch) continue;
    yield some;
    some = [];
  }
  yield some;
}

function contentOf(root: string, path: Path): Iterable<Uint8Array> {
  for (const change of readTree(root, { base: path, xattrs: "none" })) {
    if (change.kind === "file") return change.body;
  }
  throw new DataLoss(`"${path}" is no file any more`);
}
