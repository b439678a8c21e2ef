import type { LayerStore } from "../../layer/index.js";
import type { ChainID } from "../../spec/index.js";
import { Turns } from "../turns.js";
import type { WantedLayer } from "./plan.js";
import { type Brought, type Fetch, Transfer, type Watch } from "./transfer.js";
import { unlessAborted } from "./unless-aborted.js";

/** One pull's part in a transfer. It leaves by disposing; the last one to leave ends the transfer. */
export interface Share extends AsyncDisposable {
  readonly chainID: ChainID;
  /** Whether this pull began it; else it is fetched from where another one found it. */
  readonly own: boolean;
  /** Whether it has arrived. */
  readonly whole: boolean;
  /** Resolves when it has arrived; rejects with why it has not. */
  readonly arrived: Promise<void>;
  /** Tells everybody who has a share. */
  tell: Watch;
}

/**
 * The layers on their way into one store: pulls that want the same chain share the transfer of its top layer. One blob
 * that is wanted at several places is fetched for the first of them.
 */
export class Transfers {
  readonly #layers: LayerStore;
  readonly #running = new Map<ChainID, Transfer>();
  readonly #turns = new Turns();

  constructor(layers: LayerStore) {
    this.#layers = layers;
  }

  /** @param fetch is begun if the layer is not on its way already */
  join(layer: WantedLayer, fetch: Fetch, watch: Watch): Share {
    const { chainID } = layer;
    const running = this.#running.get(chainID);
    const transfer = running ?? new Transfer(layer, this.#once(layer, fetch));
    this.#running.set(chainID, transfer);
    transfer.join(watch);
    return {
      chainID,
      own: !running,
      get whole() {
        return transfer.whole;
      },
      arrived: transfer.arrived,
      tell: (state) => transfer.tell(state),
      [Symbol.asyncDispose]: () => this.#leave(transfer, watch),
    };
  }

  async #leave(transfer: Transfer, watch: Watch): Promise<void> {
    const { chainID } = transfer.layer;
    if (!transfer.leave(watch)) return;
    if (this.#running.get(chainID) === transfer) this.#running.delete(chainID);
    await transfer.end();
  }

  /** A layer whose blob is on its way to another place already is made from that one; fetched where that fails. */
  #once(layer: WantedLayer, fetch: Fetch): Fetch {
    const twin = this.#layers.canUnpack && [...this.#running.values()].find((each) => isTwin(each.layer, layer));
    if (!twin) return fetch;
    return async (signal, tell) => (await this.#copied(twin, layer, signal, tell)) ?? fetch(signal, tell);
  }

  async #copied(
    twin: Transfer,
    { diffID, label }: WantedLayer,
    signal: AbortSignal,
    tell: Watch,
  ): Promise<Brought | undefined> {
    const watch: Watch = (state) => {
      if (!twin.whole) tell(state);
    };
    twin.join(watch);
    try {
      await unlessAborted(twin.arrived, signal);
      // It must not get its place while it is read.
      return await this.#turns.shared("place", async () => {
        const tar = twin.loose?.tar({ signal }) ?? this.#layers.tar(twin.layer.chainID, { signal });
        return { loose: await this.#layers.unpack(tar, { label, expected: diffID, signal }) };
      });
    } catch {
      signal.throwIfAborted();
      return undefined;
    } finally {
      await this.#leave(twin, watch);
    }
  }

  /**
   * Makes layers that have arrived a chain upon `parent`, durably, in one step. Each stays there as long as its share,
   * or any other of its transfer.
   *
   * @param shares bottom first
   * @param parent held by the caller
   * @throws as `LayerStore.place`; nothing is placed then
   */
  async place(shares: readonly Share[], parent: ChainID | undefined): Promise<void> {
    // Those that share a layer take turns: who comes second finds it there.
    await this.#turns.alone("place", () => this.#place(shares, parent));
  }

  async #place(shares: readonly Share[], parent: ChainID | undefined): Promise<void> {
    const transfers = shares.map(({ chainID }) => this.#running.get(chainID)!);
    const known = transfers.filter(({ layer }) => this.#layers.find(layer.chainID));
    await Promise.all(known.map((transfer) => this.#hold(transfer)));
    const unknown = transfers.slice(known.length);
    if (unknown.length === 0) return;
    const loose = unknown.map((transfer) => transfer.loose!);
    await this.#layers.place(loose, known.at(-1)?.layer.chainID ?? parent);
    const held = unknown.map((transfer) => this.#hold(transfer));
    await Promise.all([...held, this.#layers.release(unknown.at(-1)!.layer.chainID)]);
  }

  #hold(transfer: Transfer): Promise<unknown> {
    const { chainID } = transfer.layer;
    this.#layers.acquire(chainID);
    return transfer.placed({ [Symbol.asyncDispose]: async () => void (await this.#layers.release(chainID)) });
  }
}

/** Whether two places are for the same bytes, that are promised to unpack to the same. */
function isTwin(one: WantedLayer, other: WantedLayer): boolean {
  return one.blob.digest === other.blob.digest && one.blob.size === other.blob.size && one.diffID === other.diffID;
}
