import { type FSWatcher, watch } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** How often to look where the kernel does not tell: it has watches for so many only. */
const pollMs = 200;

/** Tells when something in a directory has changed, since the last time. */
export class Changes implements Disposable {
  #watcher: FSWatcher | undefined;
  #changed = false;
  #wake: () => void = () => {};
  readonly #onAbort = () => this.#tell();
  readonly #signals: readonly AbortSignal[];

  /** @param signals count as changes */
  constructor(directory: string, signals: readonly AbortSignal[]) {
    this.#signals = signals;
    for (const signal of signals) signal.addEventListener("abort", this.#onAbort);
    try {
      this.#watcher = watch(directory, () => this.#tell());
      this.#watcher.on("error", () => this.#stopWatching());
    } catch {
      // Polled.
    }
  }

  /** @param limitMs resolves after that in any case */
  async next(limitMs = Number.POSITIVE_INFINITY): Promise<void> {
    const timeMs = this.#watcher ? limitMs : Math.min(limitMs, pollMs);
    const timer = new AbortController();
    const changed = new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (this.#changed) resolve();
    });
    const late = Number.isFinite(timeMs) ? delay(timeMs, undefined, { signal: timer.signal }).catch(() => {}) : changed;
    await Promise.race([changed, late]);
    timer.abort();
    this.#changed = false;
  }

  [Symbol.dispose](): void {
    this.#stopWatching();
    for (const signal of this.#signals) signal.removeEventListener("abort", this.#onAbort);
  }

  #tell(): void {
    this.#changed = true;
    this.#wake();
  }

  #stopWatching(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#tell();
  }
}
