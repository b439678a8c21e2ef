import { type RunOptions, Threads } from "../threads/index.js";
import type { Job, Unpacked, UnpackJob } from "./jobs.js";

/** Enough for what runs at once; a thread may be kept waiting by a slow network, so more than there are cores. */
const size = 8;

/** Those of the process: all its stores share them. They start when they are needed and end when they are not. */
export const layerThreads = new Threads<Job>(new URL("./layer-worker.js", import.meta.url), size);

let fed = 0;

/**
 * Unpacks a layer in a thread of its own. The first of those fed at once gets a second thread: a single one has two
 * cores then, and many cost no more memory than a thread each. One that has been fed to its end is done in a moment:
 * of layers that come in one stream each has two.
 */
export async function unpackInThread(
  { target, split }: Pick<UnpackJob, "target" | "split">,
  tar: AsyncIterable<Uint8Array>,
  options: RunOptions,
): Promise<Unpacked> {
  const helped = fed++ === 0;
  let ended = () => {
    fed--;
    ended = () => {};
  };
  try {
    return await layerThreads.feed<Unpacked>(
      { kind: "unpack", target, split, helped },
      telling(tar, () => ended()),
      options,
    );
  } finally {
    ended();
  }
}

async function* telling(bytes: AsyncIterable<Uint8Array>, ended: () => void): AsyncGenerator<Uint8Array> {
  yield* bytes;
  ended();
}
