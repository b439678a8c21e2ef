/**
 * A blob on its way to a reader, counted. A reader that gives up does not end it: what is wrong with the bytes may
 * show only when all are there.
 */
export class Download implements AsyncIterable<Uint8Array>, AsyncDisposable {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #onBytes: (taken: number) => void;
  #first: Promise<Uint8Array | undefined> | undefined;
  #taken = 0;
  #ended = false;

  /** @param onBytes told how many bytes have come, with each piece */
  constructor(source: AsyncIterable<Uint8Array>, onBytes: (taken: number) => void) {
    this.#source = source[Symbol.asyncIterator]();
    this.#onBytes = onBytes;
  }

  /** Resolves when the first bytes have come. @throws what the source throws instead */
  async begun(): Promise<void> {
    this.#first = this.#read();
    await this.#first;
  }

  get taken(): number {
    return this.#taken;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const piece = await this.#next();
      if (!piece) return;
      yield piece;
    }
  }

  /** Takes what is left, and lets it go. @throws what the source throws at its end */
  async finish(): Promise<void> {
    while (await this.#next()) {
      // Not kept.
    }
  }

  #next(): Promise<Uint8Array | undefined> {
    const next = this.#first ?? this.#read();
    this.#first = undefined;
    return next;
  }

  async #read(): Promise<Uint8Array | undefined> {
    if (this.#ended) return undefined;
    const { done, value } = await this.#source.next().catch((error) => {
      this.#ended = true;
      throw error;
    });
    if (done) {
      this.#ended = true;
      return undefined;
    }
    this.#taken += value.length;
    this.#onBytes(this.#taken);
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) await this.#source.return?.();
    this.#ended = true;
  }
}
