import { type Node, nodesIn, stampAt } from "./fact.js";
import type { RootState } from "./root-state.js";

/**
 * What was made of the files and directories of a root when it was read last, for who reads it again and again: of what
 * has its stamp still, nothing is read again, and nothing at all where everything has.
 */
export class Readings {
  #last: ReadonlyMap<string, Reading> = new Map();
  #state: RootState | undefined;

  /** The root as it was read last, where that still holds. */
  get unchanged(): RootState | undefined {
    if (!this.#state) return undefined;
    for (const [path, { stamp }] of this.#last) if (stampAt(path) !== stamp) return undefined;
    return this.#state;
  }

  begin(): Pass {
    return new Pass(this.#last);
  }

  /** @param state what was made of all that a pass came upon; what it did not is forgotten */
  end({ readings }: Pass, state: RootState): void {
    this.#last = readings;
    this.#state = state;
  }
}

interface Reading {
  readonly stamp: string;
  /** A path is always read to the same type. */
  readonly value?: unknown;
}

/** One reading of a root: it has to be asked for everything that the root's state depends on. */
export class Pass {
  readonly readings = new Map<string, Reading>();
  readonly #before: ReadonlyMap<string, Reading>;

  constructor(before: ReadonlyMap<string, Reading>) {
    this.#before = before;
  }

  /** What a path is read to; it is read when it was not, or when it is not as it was. */
  of<V>(path: string, read: () => V, stamp = stampAt(path)): V {
    const known = this.#before.get(path);
    const reading = known?.stamp === stamp && "value" in known ? known : { stamp, value: read() };
    this.readings.set(path, reading);
    return reading.value as V;
  }

  /** For what is read in any case. */
  look(path: string): void {
    this.readings.set(path, { stamp: stampAt(path) });
  }

  /** As `nodesIn` the directory; a change of any of the nodes counts, too. */
  nodesIn(dir: string): Map<string, Node> {
    this.look(dir);
    const nodes = nodesIn(dir);
    for (const [name, { stamp }] of nodes) this.readings.set(`${dir}/${name}`, { stamp });
    return nodes;
  }
}

/** What is in a directory, by name, where a pass goes through it or none. */
export function listed(pass: Pass | undefined, dir: string): Map<string, Node> {
  return pass ? pass.nodesIn(dir) : nodesIn(dir);
}
