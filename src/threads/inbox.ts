import type { FeedMessage } from "./feed.js";

/** What the reading end says: so many bytes more are used up. */
export interface Used {
  readonly used: number;
}

/** Told at once only in such steps, since each wakes another thread; a feed sends several of them ahead. */
const step = 1 << 20;

/** The other end of a `Feed`, in another thread: the stream again. Who stops early may go on with another iteration. */
export class Inbox implements AsyncIterable<Uint8Array> {
  readonly #onUsed: (message: Used) => void;
  #waiting: FeedMessage[] = [];
  #ended = false;
  #used = 0;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => {};

  constructor(onUsed: (message: Used) => void) {
    this.#onUsed = onUsed;
  }

  push(message: FeedMessage): void {
    this.#waiting.push(message);
    this.#wake();
  }

  /** The reader gets this next, whatever is waiting. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#waiting = [];
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      if (this.#failure) throw this.#failure.error;
      if (this.#ended) return;
      const message = this.#waiting.shift();
      if (!message) await this.#arrival();
      else if ("end" in message) this.#end();
      else {
        try {
          yield message.bytes;
        } finally {
          this.#count(message.bytes.length);
        }
      }
    }
  }

  #end(): void {
    this.#ended = true;
    if (this.#used > 0) this.#onUsed({ used: this.#used });
  }

  #count(bytes: number): void {
    this.#used += bytes;
    if (this.#used < step) return;
    this.#onUsed({ used: this.#used });
    this.#used = 0;
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
