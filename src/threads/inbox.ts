import { setImmediate as turn } from "node:timers/promises";
import type { TransferListItem } from "node:worker_threads";
import type { FeedMessage, Used } from "./messages.js";
import { onRecycle } from "./recycle.js";

/**
 * The other end of a `Feed`, in another thread: the stream again. A piece is the reader's own, who may `recycle` it; it
 * counts as used up then, at the latest when the next one is asked for. Who stops early may go on with another iteration.
 */
export class Inbox implements AsyncIterable<Uint8Array> {
  readonly #onUsed: (message: Used, transfer?: readonly TransferListItem[]) => void;
  #waiting: FeedMessage[] = [];
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => {};

  constructor(onUsed: (message: Used, transfer?: readonly TransferListItem[]) => void) {
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
      // Between pieces the event loop turns: that it is to stop is heard also by a reader with much before it.
      if (this.#waiting.length > 0) await turn();
      if (this.#failure) throw this.#failure.error;
      if (this.#ended) return;
      const message = this.#waiting.shift();
      if (!message) await this.#arrival();
      else if ("end" in message) this.#ended = true;
      else {
        const used = this.#lend(message.bytes);
        try {
          yield message.bytes;
        } finally {
          used();
        }
      }
    }
  }

  /** @returns what tells that the piece is used up, once */
  #lend({ buffer, length }: Uint8Array<ArrayBuffer>): () => void {
    let untold = length;
    const tell = (block?: ArrayBuffer) => {
      if (block) this.#onUsed({ used: untold, block }, [block]);
      else if (untold > 0) this.#onUsed({ used: untold });
      untold = 0;
    };
    onRecycle(buffer, () => tell(buffer));
    return () => tell();
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
