import type { Slots } from "../slots.js";

/** With fewer bytes than this before it, a layer waits for the network. */
const backlog = 512 << 10;
/** How long nothing may be unpacked of a layer that has its turn. */
const patienceMs = 1000;

/**
 * A layer's turn to be unpacked. It ends early when the network is what the layer waits for. So layers share a slow
 * network, as many as may be fetched at once, and on a fast one take no more threads, and their memory, than the
 * processors can use.
 */
export class Turn {
  readonly #end: () => void;
  readonly #timer: NodeJS.Timeout;

  constructor(end: () => void) {
    this.#end = end;
    this.#timer = setTimeout(end, patienceMs);
  }

  /** Told whenever something has been. @param waiting bytes that have come and have not; undefined: no more will come */
  unpacked(waiting: number | undefined): void {
    if (waiting !== undefined && waiting < backlog) this.end();
    else this.#timer.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#end();
  }
}

/** Does `work` when one of `turns` is free, which it is again when the turn has ended, or the work. */
export function inTurn<T>(turns: Slots, signal: AbortSignal, work: (turn: Turn) => Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const begin = () =>
      new Promise<void>((end) => {
        const turn = new Turn(end);
        work(turn)
          .finally(() => turn.end())
          .then(resolve, reject);
      });
    turns.run(begin, { signal }).catch(reject);
  });
}
