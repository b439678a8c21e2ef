/** Lets operations on one thing wait for each other: changes one at a time, readers together. */
export class Turns {
  readonly #queues = new Map<string, Queue>();

  /** Runs when everything asked for before on `key` has ended, and alone. */
  alone<T>(key: string, run: () => Promise<T>): Promise<T> {
    return this.#join(key, true, run);
  }

  /** Runs together with other readers of `key`, after what was asked for before to run alone. */
  shared<T>(key: string, run: () => Promise<T>): Promise<T> {
    return this.#join(key, false, run);
  }

  #join<T>(key: string, alone: boolean, run: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(key) ?? { last: Promise.resolve(), readers: [], waiting: 0 };
    this.#queues.set(key, queue);
    queue.waiting++;
    const before = alone ? Promise.all([queue.last, ...queue.readers]) : queue.last;
    const result = before.then(run);
    const ended = result.then(noop, noop).then(() => {
      if (--queue.waiting === 0) this.#queues.delete(key);
    });
    if (alone) Object.assign(queue, { last: ended, readers: [] });
    else queue.readers.push(ended);
    return result;
  }
}

interface Queue {
  /** Ends when the last one to run alone has. */
  last: Promise<unknown>;
  /** Those asked for since then. */
  readers: Promise<unknown>[];
  waiting: number;
}

const noop = () => undefined;
