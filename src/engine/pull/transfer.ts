import type { LooseLayer } from "../../layer/index.js";
import type { WantedLayer } from "./plan.js";

/** How far a layer is, as Docker words it; counts are bytes of the compressed blob. */
export interface LayerState {
  readonly status: string;
  readonly current?: number;
  readonly total?: number;
}

export type Watch = (state: LayerState) => void;

/** What a fetch has made: a layer to be placed, or one that has its place and is held until disposed. */
export type Brought = { readonly loose: LooseLayer } | { readonly held: AsyncDisposable };

/** Brings a layer's content; ends at once when `signal` fires. */
export type Fetch = (signal: AbortSignal, tell: Watch) => Promise<Brought>;

/**
 * A layer on its way into the store, for everybody who wants it. It goes on while one of them stays: with the last
 * one it is aborted, and what it has made is given back.
 */
export class Transfer {
  readonly layer: WantedLayer;
  /** Resolves when the layer is unpacked and verified. */
  readonly arrived: Promise<void>;
  readonly #watchers = new Set<Watch>();
  readonly #abort = new AbortController();
  #state: LayerState = { status: "Pulling fs layer" };
  #brought: Brought | undefined;
  #whole = false;

  constructor(layer: WantedLayer, fetch: Fetch) {
    this.layer = layer;
    this.arrived = fetch(this.#abort.signal, (state) => this.tell(state)).then((brought) => {
      this.#brought = brought;
      this.#whole = true;
    });
    // Whoever waits for it is told; nobody may be left.
    this.arrived.catch(() => undefined);
  }

  /** It has arrived, and is there still. */
  get whole(): boolean {
    return this.#whole;
  }

  /** Absent: it has its place. */
  get loose(): LooseLayer | undefined {
    return this.#brought && "loose" in this.#brought ? this.#brought.loose : undefined;
  }

  tell(state: LayerState): void {
    this.#state = state;
    for (const watch of this.#watchers) watch(state);
  }

  /** `watch` is told at once how far it is. */
  join(watch: Watch): void {
    this.#watchers.add(watch);
    watch(this.#state);
  }

  /** @returns whether nobody is left: it has to be ended then */
  leave(watch: Watch): boolean {
    return this.#watchers.delete(watch) && this.#watchers.size === 0;
  }

  /** It has its place now, and is held there until it ends. @param held the handle */
  async placed(held: AsyncDisposable): Promise<void> {
    const before = this.#brought;
    this.#brought = { held };
    await give(before);
  }

  async end(): Promise<void> {
    this.#abort.abort(new DOMException("nobody waits for the layer any more", "AbortError"));
    await this.arrived.catch(() => undefined);
    this.#whole = false;
    const before = this.#brought;
    this.#brought = undefined;
    await give(before);
  }
}

async function give(brought: Brought | undefined): Promise<void> {
  if (!brought) return;
  await ("loose" in brought ? brought.loose : brought.held)[Symbol.asyncDispose]();
}
