/** Lets one operation at a time work on a layer; others wait, in the order in which they came. */
export class IdLocks {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `work` while no other holds any of `ids`. */
  async run<T>(ids: readonly string[], work: () => Promise<T>): Promise<T> {
    // Taken all at once: two that want the same ids cannot wait for each other.
    const before = ids.map((id) => this.#last.get(id));
    const result = Promise.all(before).then(work);
    const settled = result.then(
      () => {},
      () => {},
    );
    for (const id of ids) this.#last.set(id, settled);
    void settled.then(() => this.#drop(ids, settled));
    return result;
  }

  #drop(ids: readonly string[], settled: Promise<unknown>): void {
    for (const id of ids) if (this.#last.get(id) === settled) this.#last.delete(id);
  }
}
