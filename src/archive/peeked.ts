/**
 * A stream whose first bytes have been looked at; iterated, it yields all of it, once. With a signal, reading ends
 * with `signal.reason` as soon as it is aborted, also when the stream stalls.
 */
export class Peeked implements AsyncIterable<Uint8Array> {
  first: Uint8Array = new Uint8Array(0);
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #signal: AbortSignal | undefined;
  #isReading = false;

  constructor(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined) {
    this.#source = bytes[Symbol.asyncIterator]();
    this.#signal = signal;
  }

  /** Reads until `first` has this many bytes, or all there are. */
  async peek(length: number): Promise<void> {
    while (this.first.length < length) {
      // A piece may be gone when the next one is asked for.
      if (this.first.length > 0) this.first = Buffer.from(this.first);
      const next = await this.#next();
      if (next.done) return;
      this.first = this.first.length === 0 ? next.value : Buffer.concat([this.first, next.value]);
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    if (this.first.length > 0) yield this.first;
    for (let next = await this.#next(); !next.done; next = await this.#next()) yield next.value;
  }

  /**
   * Ends the stream. One that stalls is not waited for: it must not hold up a reader that gave up, and its failures
   * are of no interest any more.
   */
  async close(): Promise<void> {
    const ended = this.#source.return?.();
    if (!this.#isReading) await ended;
    else ended?.catch(() => {});
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    this.#isReading = true;
    const next = await unlessAborted(this.#source.next(), this.#signal);
    this.#isReading = false;
    return next;
  }
}

/** `promise`, or `signal.reason` thrown as soon as it is aborted. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
