/** Containers that end sooner than this need not be written at all. */
const patienceMs = 30;

interface Writing {
  /** Something has changed since the last write began. */
  wanted: boolean;
  /** Begins the write that waits for its time. */
  hurry: () => void;
  readonly done: Promise<void>;
}

/** Writes that nobody waits for: one at a time for each id, a moment after they were wished, several wishes as one. */
export class LaterWrites {
  readonly #write: (id: string) => Promise<void>;
  readonly #writings = new Map<string, Writing>();

  /** @param write writes what is known of `id` by then; must not reject */
  constructor(write: (id: string) => Promise<void>) {
    this.#write = write;
  }

  /** Has `id` written soon. */
  wish(id: string): void {
    const writing = this.#writings.get(id);
    if (writing) writing.wanted = true;
    else this.#writings.set(id, this.#begun(id));
  }

  #begun(id: string): Writing {
    let hurry = () => {};
    const due = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    const writing: Writing = { wanted: true, hurry, done: due.then(() => this.#run(id, writing)) };
    return writing;
  }

  async #run(id: string, writing: Writing): Promise<void> {
    while (writing.wanted) {
      writing.wanted = false;
      await this.#write(id);
    }
    this.#writings.delete(id);
  }

  /** Takes back what is wished for `id` and has not begun; resolves when what has is done. @returns whether it was wished */
  async cancel(id: string): Promise<boolean> {
    const writing = this.#writings.get(id);
    const wanted = writing?.wanted ?? false;
    if (writing) writing.wanted = false;
    await this.settled(id);
    return wanted;
  }

  /** Resolves when all that was wished for `id` is written, without waiting for its time. */
  async settled(id: string): Promise<void> {
    const writing = this.#writings.get(id);
    writing?.hurry();
    await writing?.done;
  }

  /** The same for every id. */
  async allSettled(): Promise<void> {
    await Promise.all([...this.#writings.keys()].map((id) => this.settled(id)));
  }
}
