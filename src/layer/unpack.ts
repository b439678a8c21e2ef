import { decompressed, LayerParser } from "../archive/index.js";
import { jailIfAllowed, openWriter, type WriteTarget } from "../driver/index.js";
import { type DiffID, Digester } from "../spec/index.js";
import { recycle, recycled, SourceFailure, Threads } from "../threads/index.js";
import type { Job, Unpacked, UnpackJob } from "./jobs.js";
import { Recorder } from "./recorder.js";
import { SplitFile } from "./split-file.js";

/** The second thread of this one. */
const helper = new Threads<Job>(new URL("./layer-worker.js", import.meta.url), 1);

/** Unpacks `tar`, compressed or not. For worker threads: all writing is synchronous. */
export async function unpack(job: UnpackJob, tar: AsyncIterable<Uint8Array>): Promise<Unpacked> {
  const reader = recycled(decompressed(tar, { onUsed: recycle, isBrief: true }));
  using split = new SplitFile(job.split);
  if (job.helped) return await inTwo(job.target, split, reader);
  // Asked for outside of the jail: the first piece decides which library or program unpacks the stream.
  const first = await reader.next();
  using root = jailIfAllowed(job.target);
  return await inOne(root.target, split, withFirst(first, reader));
}

/** Hashes and records here, while the other thread parses and writes: one layer has two cores. */
async function inTwo(target: WriteTarget, split: SplitFile, tar: AsyncIterable<Uint8Array>): Promise<Unpacked> {
  const recorder = new Recorder(split);
  try {
    const diffSize = await helper.feed<number>({ kind: "write", target }, recorder.passing(tar));
    return { diffID: await recorder.end(), diffSize };
  } catch (error) {
    throw error instanceof SourceFailure ? error.cause : error;
  }
}

/** Hashes, parses, writes and records in one pass. */
async function inOne(target: WriteTarget, split: SplitFile, tar: AsyncIterable<Uint8Array>): Promise<Unpacked> {
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
