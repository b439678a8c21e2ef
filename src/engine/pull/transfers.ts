import type { LayerStore } from "../../layer/index.js";
import type { ChainID } from "../../spec/index.js";
import { Turns } from "../turns.js";
import { type Fetch, Transfer, type Watch } from "./transfer.js";

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

/** The layers on their way into one store: pulls that want the same chain share the transfer of its top layer. */
export class Transfers {
  readonly #layers: LayerStore;
  readonly #running = new Map<ChainID, Transfer>();
  readonly #turns = new Turns();

  constructor(layers: LayerStore) {
    this.#layers = layers;
  }

  /** @param fetch is begun if the layer is not on its way already */
  join(chainID: ChainID, fetch: Fetch, watch: Watch): Share {
    const running = this.#running.get(chainID);
    const transfer = running ?? new Transfer(chainID, fetch);
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
      [Symbol.asyncDispose]: async () => {
        if (!transfer.leave(watch)) return;
        if (this.#running.get(chainID) === transfer) this.#running.delete(chainID);
        await transfer.end();
      },
    };
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
    const known = transfers.filter(({ chainID }) => this.#layers.find(chainID));
    await Promise.all(known.map((transfer) => this.#hold(transfer)));
    const unknown = transfers.slice(known.length);
    if (unknown.length === 0) return;
    const loose = unknown.map((transfer) => transfer.loose!);
    await this.#layers.place(loose, known.at(-1)?.chainID ?? parent);
    const held = unknown.map((transfer) => this.#hold(transfer));
    await Promise.all([...held, this.#layers.release(unknown.at(-1)!.chainID)]);
  }

  #hold(transfer: Transfer): Promise<unknown> {
    const { chainID } = transfer;
    this.#layers.acquire(chainID);
    return transfer.placed({ [Symbol.asyncDispose]: async () => void (await this.#layers.release(chainID)) });
  }
}
