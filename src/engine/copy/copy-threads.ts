import { labelled, SourceFailure, Threads } from "../../threads/index.js";
import type { CopyJob, ExtractJob, FillJob, MeasureJob, TarJob } from "./jobs.js";

export interface CopyOptions {
  /** In front of the messages of what fails in the thread. */
  readonly label: string;
  readonly signal?: AbortSignal | undefined;
}

/** The threads in which trees become archives and archives trees, so that the event loop stays free. */
export class CopyThreads {
  readonly #threads = new Threads<CopyJob>(new URL("./copy-worker.js", import.meta.url), 4);

  /** A tree as an archive. Begins with the first read; who stops reading early frees the thread. */
  async *tar(job: TarJob, { label, signal }: CopyOptions): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* this.#threads.read(job, { signal });
    } catch (error) {
      throw signal?.aborted ? signal.reason : labelled(label, error);
    }
  }

  /** Resolves when `tar` has been read to its end and all of it is written. @throws what reading `tar` threw, as it is */
  async extract(job: ExtractJob, tar: AsyncIterable<Uint8Array>, { label, signal }: CopyOptions): Promise<void> {
    try {
      await this.#threads.feed(job, tar, { signal });
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw error instanceof SourceFailure ? error.cause : labelled(label, error);
    }
  }

  /** Copies a tree. */
  async fill(job: FillJob, { label }: CopyOptions): Promise<void> {
    await this.#threads.run(job).catch((error) => Promise.reject(labelled(label, error)));
  }

  /** Bytes in a tree. */
  async measure(job: MeasureJob, { label }: CopyOptions): Promise<number> {
    return this.#threads.ask<number>(job).catch((error) => Promise.reject(labelled(label, error)));
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}
