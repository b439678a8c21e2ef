import { decompressed, LayerParser } from "../archive/index.js";
import { jailIfAllowed, openWriter, type WriteTarget } from "../driver/index.js";
import { type DiffID, Digester } from "../spec/index.js";
import { recycle, recycled } from "../threads/index.js";
import type { Unpacked, UnpackJob } from "./jobs.js";
import { SplitFile } from "./split-file.js";

/** Unpacks `tar`, compressed or not. For worker threads: all writing is synchronous. */
export async function unpack(job: UnpackJob, tar: AsyncIterable<Uint8Array>): Promise<Unpacked> {
  const reader = recycled(decompressed(tar, { onUsed: recycle }));
  // Asked for outside of the jail: the first piece decides which library or program unpacks the stream.
  const first = await reader.next();
  using split = new SplitFile(job.split);
  using root = jailIfAllowed(job.target);
  return await write(root.target, split, withFirst(first, reader));
}

/** Hashes, parses, writes and records in one pass. */
async function write(target: WriteTarget, split: SplitFile, tar: AsyncIterable<Uint8Array>): Promise<Unpacked> {
  using writer = openWriter(target);
  const parser = new LayerParser(writer, { split: split.writer });
  const digester = new Digester();
  for await (const chunk of tar) {
    digester.update(chunk);
    parser.write(chunk);
    await split.pace();
  }
  parser.end();
  const diffSize = writer.finish();
  await split.end();
  return { diffID: digester.digest<DiffID>(), diffSize };
}

async function* withFirst<T>(first: IteratorResult<T, unknown>, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    if (first.done) return;
    yield first.value;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}
