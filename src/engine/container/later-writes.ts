interface Writing {
  /** Something has changed since the write began. */
  again: boolean;
  readonly done: Promise<void>;
}

/** Writes that nobody waits for: one at a time for each id, and several wishes become one write. */
export class LaterWrites {
  readonly #write: (id: string) => Promise<void>;
  readonly #running = new Map<string, Writing>();

  /** @param write writes what is known of `id` by then; must not reject */
  constructor(write: (id: string) => Promise<void>) {
    this.#write = write;
  }

  /** Has `id` written. */
  wish(id: string): void {
    const running = this.#running.get(id);
    if (running) running.again = true;
    else {
      const writing: Writing = { again: true, done: Promise.resolve().then(() => this.#run(id, writing)) };
      this.#running.set(id, writing);
    }
  }

  async #run(id: string, writing: Writing): Promise<void> {
    while (writing.again) {
      writing.again = false;
      await this.#write(id);
    }
    this.#running.delete(id);
  }

  /** Takes back what is wished for `id` and has not begun. */
  cancel(id: string): void {
    const running = this.#running.get(id);
    if (running) running.again = false;
  }

  /** Resolves when all that was wished for `id` is written. */
  async settled(id: string): Promise<void> {
    await this.#running.get(id)?.done;
  }

  /** The same for every id. */
  async allSettled(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }
}
