import { decompressed } from "../archive/index.js";
import { recycle, recycled, SourceFailure, Threads } from "../threads/index.js";
import type { Job, Unpacked, UnpackJob } from "./jobs.js";
import { Recorder } from "./recorder.js";
import { SplitFile } from "./split-file.js";

/** The second thread of this one. */
const writer = new Threads<Job>(new URL("./layer-worker.js", import.meta.url), 1);

/**
 * Unpacks `tar`, compressed or not: hashes and records here, while another thread parses and writes. So one layer has
 * two cores, and of several the last does not keep the others waiting.
 */
export async function unpack({ target, split: path }: UnpackJob, tar: AsyncIterable<Uint8Array>): Promise<Unpacked> {
  using split = new SplitFile(path);
  const recorder = new Recorder(split);
  const plain = recycled(decompressed(tar, { onUsed: recycle, isBrief: true }));
  try {
    const diffSize = await writer.feed<number>({ kind: "write", target }, recorder.passing(plain));
    return { diffID: await recorder.end(), diffSize };
  } catch (error) {
    throw error instanceof SourceFailure ? error.cause : error;
  }
}
