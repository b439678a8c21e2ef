import { messageOf } from "../spec/index.js";
import { Feed, type FeedMessage } from "./feed.js";
import { Inbox, type Used } from "./inbox.js";
import type { Job, MeasureJob, RebuildJob, RecordJob, Unpacked, UnpackJob } from "./jobs.js";
import { type Running, WorkerPool } from "./worker-pool.js";

/** The stream to be unpacked failed itself; `cause` is what reading it threw. */
export class SourceFailure extends Error {
  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
  }
}

export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes of the stream have been used up so far. */
  readonly onBytes?: ((taken: number) => void) | undefined;
}

const script = new URL("./layer-worker.js", import.meta.url);
/** Enough for what runs at once; a thread may be kept waiting by a slow network, so more than there are cores. */
const threads = 8;

/** Unpacks, records and rebuilds layers in threads. */
class LayerThreads {
  // Apart, so that a stream of layers that is read here and written here never waits for itself.
  readonly #writing = new WorkerPool<Job>(script, threads);
  readonly #reading = new WorkerPool<Job>(script, threads);

  /**
   * Resolves when `tar` has been read to its end and all of it is written; when it rejects nothing is written any more.
   *
   * @throws SourceFailure: reading `tar` failed; the reason of `signal`
   */
  async unpack(job: UnpackJob, tar: AsyncIterable<Uint8Array>, { signal, onBytes }: RunOptions): Promise<Unpacked> {
    signal?.throwIfAborted();
    const task: Running<FeedMessage, Unpacked> = await this.#writing.start(job, ({ used }: Used) => feed.used(used));
    const feed = new Feed(task.send, onBytes);
    task.result.catch((error) => feed.break(error));
    const send = () =>
      feed.run(tar).catch((error) => {
        throw feed.failedSource ? new SourceFailure(error) : error;
      });
    return whole(
      signal,
      task,
      (reason) => feed.break(reason),
      () => send().then(() => task.result),
    );
  }

  /** Makes a layer of what another changes; otherwise as `unpack`. */
  async record(job: RecordJob, { signal, onBytes }: RunOptions): Promise<Unpacked> {
    signal?.throwIfAborted();
    let made = 0;
    const task: Running<never, Unpacked> = await this.#writing.start(job, ({ used }: Used) => {
      made += used;
      onBytes?.(made);
    });
    return whole(
      signal,
      task,
      () => task.send({ stop: true }),
      () => task.result,
    );
  }

  /** Begins with the first read. Who stops reading early frees the thread. */
  async *rebuild(job: RebuildJob, { signal }: RunOptions): AsyncGenerator<Uint8Array, void, undefined> {
    signal?.throwIfAborted();
    const task: Running<Used, void> = await this.#reading.start(job, (message: FeedMessage) => inbox.push(message));
    const inbox = new Inbox(task.send);
    task.result.catch((error) => inbox.fail(error));
    const abort = () => inbox.fail(signal?.reason);
    signal?.addEventListener("abort", abort);
    try {
      yield* inbox;
    } finally {
      signal?.removeEventListener("abort", abort);
      task.send({ stop: true });
      await task.result.catch(() => {});
    }
  }

  async measure(job: MeasureJob): Promise<number> {
    const task: Running<never, number> = await this.#reading.start(job, () => {});
    return task.result;
  }
}

/** Those of the process: all its stores share them. They start when they are needed and end when they are not. */
export const layerThreads = new LayerThreads();

/** Runs `work` on a task; on abort and failure the task is told to stop, and has ended when this rejects. */
async function whole<T>(
  signal: AbortSignal | undefined,
  task: Running<unknown, unknown>,
  onAbort: (reason: unknown) => void,
  work: () => Promise<T>,
): Promise<T> {
  const abort = () => onAbort(signal?.reason);
  signal?.addEventListener("abort", abort);
  try {
    signal?.throwIfAborted();
    return await work();
  } catch (error) {
    task.send({ stop: true });
    await task.result.catch(() => {});
    throw signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}
