import type { Exit, ProcessRef } from "./contract.js";
import { keyOf } from "./protocol.js";

/** The exits that are not acknowledged, for any number of readers. */
export class ExitBoard {
  readonly #exits = new Map<string, Exit>();
  readonly #asleep = new Set<() => void>();
  #failure: Error | undefined;

  /** One known already, told again after a reconnection, is nothing new. */
  add(exit: Exit): void {
    const key = keyOf(exit);
    if (this.#exits.get(key)?.atNs === exit.atNs) return;
    this.#exits.set(key, exit);
    this.#wake();
  }

  remove(target: ProcessRef): void {
    this.#exits.delete(keyOf(target));
  }

  /** Ends all readers, those to come too. */
  fail(error: Error): void {
    this.#failure = error;
    this.#wake();
  }

  /** Those that are there and those that come, each once. Ends with the signal. */
  async *read(signal: AbortSignal): AsyncGenerator<Exit> {
    const given = new WeakSet<Exit>();
    const wake = () => this.#wake();
    signal.addEventListener("abort", wake, { once: true });
    while (!signal.aborted) {
      const changed = new Promise<void>((resolve) => this.#asleep.add(resolve));
      for (const exit of [...this.#exits.values()]) {
        if (given.has(exit)) continue;
        given.add(exit);
        yield exit;
        if (signal.aborted) return;
      }
      if (this.#failure) throw this.#failure;
      await changed;
    }
  }

  #wake(): void {
    for (const resolve of this.#asleep) resolve();
    this.#asleep.clear();
  }
}
