import { messageOf } from "../spec/index.js";
import { Feed } from "./feed.js";
import { Inbox } from "./inbox.js";
import type { FeedMessage, Used } from "./messages.js";
import { WarmThreads } from "./warm-threads.js";
import { type Running, WorkerPool } from "./worker-pool.js";

/** The stream that was fed failed itself; `cause` is what reading it threw. */
export class SourceFailure extends Error {
  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
  }
}

export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes have been used up so far. */
  readonly onBytes?: ((taken: number) => void) | undefined;
}

/**
 * Threads that run one script, which calls `serve`. A task that fails or is aborted has ended when its promise
 * rejects: the thread does nothing of it any more.
 */
export class Threads<Job> {
  readonly #threads: WarmThreads;
  // Apart, so that a stream that is read from one thread and fed to another never waits for itself.
  readonly #working: WorkerPool<Job>;
  readonly #reading: WorkerPool<Job>;

  /** @param size most threads for work that is fed or runs, and as many for what is read */
  constructor(script: URL, size: number) {
    this.#threads = new WarmThreads(script);
    this.#working = new WorkerPool<Job>(this.#threads, size);
    this.#reading = new WorkerPool<Job>(this.#threads, size);
  }

  /**
   * A task that reads `stream`; resolves when it has been read to its end and the task is done.
   *
   * @throws SourceFailure: reading `stream` failed; the reason of `signal`; what the task threw
   */
  async feed<Result>(job: Job, stream: AsyncIterable<Uint8Array>, options: RunOptions = {}): Promise<Result> {
    const { signal, onBytes } = options;
    signal?.throwIfAborted();
    const task: Running<FeedMessage, Result> = await this.#working.start(job, (used: Used) => feed.used(used));
    const feed = new Feed(task.send, onBytes);
    task.result.catch((error) => feed.break(error));
    const send = () =>
      feed.run(stream).catch((error) => {
        throw feed.failedSource ? new SourceFailure(error) : error;
      });
    return whole(
      signal,
      task,
      (reason) => feed.break(reason),
      () => send().then(() => task.result),
    );
  }

  /** A task without a stream. @throws the reason of `signal`; what the task threw */
  async run<Result>(job: Job, { signal, onBytes }: RunOptions = {}): Promise<Result> {
    signal?.throwIfAborted();
    let made = 0;
    const task: Running<never, Result> = await this.#working.start(job, ({ used }: Used) => {
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

  /**
   * What a task puts out, in pieces that are the reader's own: `recycle` those that are done with. It begins with the
   * first read; who stops reading early frees the thread.
   */
  async *read(job: Job, { signal }: Pick<RunOptions, "signal"> = {}): AsyncGenerator<Uint8Array, void, undefined> {
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

  /** A task that reads and answers in a moment. @throws what the task threw */
  async ask<Result>(job: Job): Promise<Result> {
    const task: Running<never, Result> = await this.#reading.start(job, () => {});
    return task.result;
  }

  /** Ends idle threads; those that work end with their task. */
  async close(): Promise<void> {
    this.#working.close();
    this.#reading.close();
    await this.#threads.close();
  }
}

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
