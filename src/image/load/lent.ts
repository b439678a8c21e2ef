/**
 * A stream lent to a reader that may give up in the middle: the owner reads on once it is `returned`, when no read of
 * the other is under way any more.
 */
export class Lent implements AsyncIterableIterator<Uint8Array> {
  /** @throws what reading the stream threw */
  readonly returned: Promise<void>;
  readonly #source: AsyncIterator<Uint8Array>;
  #reading: Promise<unknown> = Promise.resolve();
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#source = stream[Symbol.asyncIterator]();
    this.returned = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.returned.catch(() => undefined); // told to who waits for it
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    try {
      const reading = this.#source.next();
      this.#reading = reading;
      const result = await reading;
      if (result.done) this.#resolve();
      return result;
    } catch (error) {
      this.#reject(error);
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.#reading.catch(() => undefined);
    this.#resolve();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
