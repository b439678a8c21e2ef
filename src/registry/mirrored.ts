import { DataLoss, messageOf } from "../spec/index.js";
import type { Endpoint } from "./endpoint.js";
import type { AbortOption } from "./options.js";
import type { Place } from "./place.js";

/** A blob did not come as promised, and a mirror had a hand in it: the registry itself has to be asked, from the start. */
export class BadMirror extends DataLoss {}

/** Does it once more without mirrors where one of them was at fault. */
export async function pastBadMirrors<T>(work: (mirrors: boolean) => Promise<T>): Promise<T> {
  try {
    return await work(true);
  } catch (error) {
    if (error instanceof BadMirror) return await work(false);
    throw error;
  }
}

/** Where one blob comes from: mirrors, each asked but once, then the registry itself. */
export class BlobPlaces {
  readonly #mirrors: Place[];
  readonly #origin: Place;
  #mirrored = false;

  constructor(mirrors: readonly Place[], origin: Place) {
    this.#mirrors = [...mirrors];
    this.#origin = origin;
  }

  /** Asks the next place that has it. @throws as the registry itself */
  async ask<T>(ask: (endpoint: Endpoint) => Promise<T>, options: AbortOption): Promise<T> {
    for (let mirror = this.#mirrors.shift(); mirror; mirror = this.#mirrors.shift()) {
      try {
        const answer = await ask(await mirror.reach(options));
        this.#mirrored = true;
        return answer;
      } catch {
        options.signal?.throwIfAborted();
      }
    }
    return await ask(await this.#origin.reach(options));
  }

  /** The same bytes. @throws BadMirror: it failed, and not all of it was the registry's own */
  async *guarded(bytes: AsyncIterable<Uint8Array>, { signal }: AbortOption): AsyncGenerator<Uint8Array> {
    try {
      yield* bytes;
    } catch (error) {
      if (!this.#mirrored || signal?.aborted) throw error;
      throw new BadMirror(`${messageOf(error)} (from a mirror)`, { cause: error });
    }
  }
}
