import { type ChainID, Conflict, NotFound } from "../spec/index.js";
import type { Layer } from "./layer.js";

/** A layer and what refers to it. */
interface Entry {
  readonly layer: Layer;
  /** Given out to callers. */
  handles: number;
  /** Layers that have this one as parent, and writable layers upon it. */
  dependents: number;
  /** Work on it that is under way: keeps it for a while, and is no reason for it to be there. */
  holds: number;
  /** The last reason for it has gone while there was work on it. */
  condemned: boolean;
}

/**
 * The layers there are and what refers to them, in memory. Every call is one step that nothing interrupts. Those that
 * take a reference away return the layers this left without any, top first, already out of the table.
 */
export class LayerTable {
  readonly #entries = new Map<ChainID, Entry>();

  /** @param layer its parent, if any, is in the table */
  add(layer: Layer): void {
    this.#entries.set(layer.chainID, { layer, handles: 0, dependents: 0, holds: 0, condemned: false });
    if (layer.parent) this.depend(layer.parent);
  }

  list(): Layer[] {
    return Array.from(this.#entries.values(), ({ layer }) => layer);
  }

  find(chainID: ChainID): Layer | undefined {
    return this.#entries.get(chainID)?.layer;
  }

  /** @throws NotFound */
  get(chainID: ChainID): Layer {
    return this.#entry(chainID).layer;
  }

  /** Top first. @throws NotFound */
  chain(chainID: ChainID): Layer[] {
    const chain: Layer[] = [];
    for (let at: ChainID | undefined = chainID; at; at = chain.at(-1)?.parent) chain.push(this.get(at));
    return chain;
  }

  /** @throws NotFound */
  acquire(chainID: ChainID): Layer {
    const entry = this.#entry(chainID);
    entry.handles++;
    entry.condemned = false;
    return entry.layer;
  }

  /** True when giving back one handle would leave it without any reference. @throws NotFound */
  hangsOnOneHandle(chainID: ChainID): boolean {
    const { handles, dependents } = this.#entry(chainID);
    return handles === 1 && dependents === 0;
  }

  /** @throws NotFound; Conflict: no handle is out */
  release(chainID: ChainID): Layer[] {
    const entry = this.#entry(chainID);
    if (entry.handles === 0) throw new Conflict(`layer not retained: no handle is out on ${chainID}`);
    entry.handles--;
    return this.#takeDead(entry);
  }

  /** A writable layer now lies on it. @throws NotFound */
  depend(chainID: ChainID): Layer {
    const entry = this.#entry(chainID);
    entry.dependents++;
    entry.condemned = false;
    return entry.layer;
  }

  /** Ends a `depend`. */
  undepend(chainID: ChainID): Layer[] {
    const entry = this.#entry(chainID);
    entry.dependents--;
    return this.#takeDead(entry);
  }

  /** Keeps it for some work. @throws NotFound */
  hold(chainID: ChainID): Layer {
    const entry = this.#entry(chainID);
    entry.holds++;
    return entry.layer;
  }

  /** Ends a `hold`. */
  letGo(chainID: ChainID): Layer[] {
    const entry = this.#entry(chainID);
    entry.holds--;
    return entry.condemned ? this.#takeDead(entry) : [];
  }

  /** Takes away all that nothing refers to. */
  takeUnreferenced(): Layer[] {
    return Array.from(this.#entries.values()).flatMap((entry) => this.#takeDead(entry));
  }

  #takeDead(entry: Entry): Layer[] {
    const dead: Layer[] = [];
    for (let at: Entry | undefined = entry; at && at.handles + at.dependents === 0; ) {
      const { layer }: Entry = at;
      if (at.holds > 0) {
        at.condemned = true;
        break;
      }
      if (!this.#entries.delete(layer.chainID)) break;
      dead.push(layer);
      at = layer.parent && this.#entries.get(layer.parent);
      if (at) at.dependents--;
    }
    return dead;
  }

  #entry(chainID: ChainID): Entry {
    const entry = this.#entries.get(chainID);
    if (!entry) throw new NotFound(`layer does not exist: ${chainID}`);
    return entry;
  }
}
