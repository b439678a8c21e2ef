/** Lets so many pieces of work go on at the same time; the others wait, first come, first served. */
export class Slots {
  #most: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** @param count 0: any number */
  constructor(count: number) {
    this.#most = orAny(count);
  }

  /** From now on so many; what runs already goes on. */
  resize(count: number): void {
    this.#most = orAny(count);
    while (this.#running < this.#most && this.#waiting.length > 0) this.#next();
  }

  /**
   * @param options `onWait` is called at once when the work has to wait
   * @throws the reason of `signal`, when it fires while waiting; what `work` throws
   */
  async run<T>(
    work: () => Promise<T>,
    { signal, onWait }: { readonly signal: AbortSignal; readonly onWait?: () => void },
  ): Promise<T> {
    signal.throwIfAborted();
    if (this.#running < this.#most) this.#running++;
    else {
      onWait?.();
      await this.#turn(signal);
    }
    try {
      return await work();
    } finally {
      this.#running--;
      if (this.#running < this.#most) this.#next();
    }
  }

  #next(): void {
    const give = this.#waiting.shift();
    if (give === undefined) return;
    this.#running++;
    give();
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const give = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(give), 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.push(give);
    });
  }
}

function orAny(count: number): number {
  return count === 0 ? Number.POSITIVE_INFINITY : count;
}
