import type { TransferListItem } from "node:worker_threads";
import type { FeedMessage, Used } from "./messages.js";
import { blockSize, keepBlock, takeBlock } from "./recycle.js";

/** So much is sent ahead of what the other side has used up. */
const ahead = 2 * blockSize;

/**
 * Sends a stream to another thread, at the pace of the slower, where an `Inbox` is. The bytes are gathered into blocks,
 * copied once, which are handed over and come back to be filled again: what the stream gives out stays the stream's.
 */
export class Feed {
  /** Reading the stream threw: nothing that was done with it. */
  failedSource = false;
  readonly #send: (message: FeedMessage, transfer?: readonly TransferListItem[]) => void;
  readonly #onBytes: ((taken: number) => void) | undefined;
  #block: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;
  #taken = 0;
  #inFlight = 0;
  #broken: { readonly error: unknown } | undefined;
  #reject: (error: unknown) => void = () => {};
  #onRoom: () => void = () => {};

  constructor(
    send: (message: FeedMessage, transfer?: readonly TransferListItem[]) => void,
    onBytes?: (taken: number) => void,
  ) {
    this.#send = send;
    this.#onBytes = onBytes;
  }

  /** The other side has used up so much more. */
  used({ used, block }: Used): void {
    if (block) keepBlock(block);
    this.#inFlight -= used;
    this.#taken += used;
    this.#onBytes?.(this.#taken);
    if (this.#inFlight < ahead) this.#onRoom();
  }

  /** Makes `run` reject at once, also while it waits for the stream. */
  break(error: unknown): void {
    this.#broken ??= { error };
    this.#reject(error);
  }

  /**
   * Resolves when all of `stream` is sent. A stream that is not read to its end is told so by `return`.
   *
   * @throws what reading the stream threw (`failedSource` tells), what it was broken with
   */
  async run(stream: AsyncIterable<Uint8Array>): Promise<void> {
    const reader = stream[Symbol.asyncIterator]();
    let reading = true;
    try {
      for (;;) {
        reading = true;
        const { done, value } = await this.#unlessBroken(this.#next(reader));
        reading = false;
        if (done) break;
        for (let rest = value; rest.length > 0; ) {
          rest = this.#put(rest);
          if (this.#filled === blockSize) await this.#flush();
        }
      }
      await this.#flush();
      this.#send({ end: true });
    } catch (error) {
      const closed = reader.return?.();
      // One that is in the middle of a read answers only after it; nobody waits for that.
      if (reading) closed?.catch(() => {});
      else await closed;
      throw error;
    }
  }

  async #next(reader: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    try {
      return await reader.next();
    } catch (error) {
      this.failedSource = true;
      throw error;
    }
  }

  /** @returns what the block has no room for */
  #put(bytes: Uint8Array): Uint8Array {
    this.#block ??= new Uint8Array(takeBlock());
    const part = bytes.subarray(0, blockSize - this.#filled);
    this.#block.set(part, this.#filled);
    this.#filled += part.length;
    return bytes.subarray(part.length);
  }

  async #flush(): Promise<void> {
    while (this.#inFlight >= ahead) {
      await this.#unlessBroken(
        new Promise<void>((resolve) => {
          this.#onRoom = resolve;
        }),
      );
    }
    const bytes = this.#block?.subarray(0, this.#filled);
    this.#block = undefined;
    this.#filled = 0;
    if (!bytes) return;
    this.#inFlight += bytes.length;
    this.#send({ bytes }, [bytes.buffer]);
  }

  /** One waits at a time, so that a break reaches it without a listener left behind for every piece. */
  #unlessBroken<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      promise.then(resolve, reject);
      if (this.#broken) reject(this.#broken.error);
    });
  }
}
