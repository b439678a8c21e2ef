import { Unavailable } from "../spec/index.js";
import type { AbortOption } from "./options.js";
import type { Time } from "./time.js";

/** A failure that may be gone at the next try. */
export class Passing extends Unavailable {
  /** How long the registry wants to be left alone. */
  readonly afterMs: number | undefined;
  constructor(message: string, { afterMs, ...options }: ErrorOptions & { readonly afterMs?: number | undefined } = {}) {
    super(message, options);
    this.afterMs = afterMs;
  }
}

/** Nobody waits longer than this for a registry that asks for it. */
const longestWaitMs = 60_000;
const firstPauseMs = 500;

/** How often something is tried. */
export class Attempts {
  readonly #most: number;
  readonly #time: Time;
  readonly #signal: AbortSignal | undefined;
  #failed = 0;

  constructor({ attempts, time }: { readonly attempts: number; readonly time: Time }, { signal }: AbortOption = {}) {
    this.#most = attempts;
    this.#time = time;
    this.#signal = signal;
  }

  /**
   * Waits until it is time for the next try: twice as long each time, by chance up to half of it less, so that many
   * clients do not come back together.
   *
   * @throws `error` when there is to be none, since it does not pass or was one too many
   */
  async afterFailure(error: unknown, onRetry?: (why: Error, delayMs: number) => void): Promise<void> {
    this.#signal?.throwIfAborted();
    if (!(error instanceof Passing) || ++this.#failed >= this.#most) throw error;
    const pause = firstPauseMs * 2 ** (this.#failed - 1) * (0.5 + this.#time.random() / 2);
    if ((error.afterMs ?? 0) > longestWaitMs) throw error;
    const delayMs = Math.round(Math.max(pause, error.afterMs ?? 0));
    onRetry?.(error, delayMs);
    await this.#time.pause(delayMs, this.#signal);
  }

  /** It went well for a while: failures up to here do not count any more. */
  startAnew(): void {
    this.#failed = 0;
  }
}

/** Does it until it succeeds, as often as it may be tried. */
export async function persistently<T>(attempts: Attempts, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      await attempts.afterFailure(error);
    }
  }
}
