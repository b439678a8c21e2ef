import { Feed, type FeedMessage, Inbox, labelled, type Running, type Used, WorkerPool } from "../../layer/index.js";
import type { CopyJob, ExtractJob, FillJob, MeasureJob, TarJob } from "./jobs.js";

export interface CopyOptions {
  /** In front of the messages of what fails in the thread. */
  readonly label: string;
  readonly signal?: AbortSignal | undefined;
}

const script = new URL("./copy-worker.js", import.meta.url);
const threads = 4;

/** The threads in which trees become archives and archives trees, so that the event loop stays free. */
export class CopyThreads {
  readonly #writing = new WorkerPool<CopyJob>(script, threads);
  readonly #reading = new WorkerPool<CopyJob>(script, threads);

  /** A tree as an archive. Begins with the first read; who stops reading early frees the thread. */
  async *tar(job: TarJob, { label, signal }: CopyOptions): AsyncGenerator<Uint8Array, void, undefined> {
    signal?.throwIfAborted();
    const task: Running<Used, void> = await this.#reading.start(job, (message: FeedMessage) => inbox.push(message));
    const inbox = new Inbox(task.send);
    task.result.catch((error) => inbox.fail(labelled(label, error)));
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

  /** Resolves when `tar` has been read to its end and all of it is written. @throws what reading `tar` threw, as it is */
  async extract(job: ExtractJob, tar: AsyncIterable<Uint8Array>, { label, signal }: CopyOptions): Promise<void> {
    signal?.throwIfAborted();
    const task: Running<FeedMessage, void> = await this.#writing.start(job, ({ used }: Used) => feed.used(used));
    const feed = new Feed(task.send);
    task.result.catch((error) => feed.break(labelled(label, error)));
    const abort = () => feed.break(signal?.reason);
    signal?.addEventListener("abort", abort);
    try {
      await feed.run(tar);
      await task.result.catch((error) => Promise.reject(labelled(label, error)));
    } catch (error) {
      task.send({ stop: true });
      await task.result.catch(() => {});
      throw signal?.aborted ? signal.reason : error;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Copies a tree. */
  async fill(job: FillJob, { label }: CopyOptions): Promise<void> {
    const task = await this.#writing.start<never, never, void>(job, () => {});
    await task.result.catch((error) => Promise.reject(labelled(label, error)));
  }

  /** Bytes in a tree. */
  async measure(job: MeasureJob, { label }: CopyOptions): Promise<number> {
    const task = await this.#reading.start<never, never, number>(job, () => {});
    return task.result.catch((error) => Promise.reject(labelled(label, error)));
  }

  async close(): Promise<void> {
    await Promise.all([this.#writing.close(), this.#reading.close()]);
  }
}
