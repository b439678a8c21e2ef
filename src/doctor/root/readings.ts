/**
 * What was made of files and directories of a root when it was read last, for who reads it again and again: of what has
 * its stamp still, nothing is read again.
 */
export class Readings {
  #last: ReadonlyMap<string, Reading> = new Map();

  /** One reading of the root; what it does not come upon is forgotten at its end. */
  begin(): Pass {
    const next = new Map<string, Reading>();
    return {
      of: <V>(path: string, stamp: string, read: () => V): V => {
        const known = this.#last.get(path);
        const reading = known?.stamp === stamp ? known : { stamp, value: read() };
        next.set(path, reading);
        return reading.value as V;
      },
      end: () => {
        this.#last = next;
      },
    };
  }
}

/** A path is always read to the same type. */
export interface Pass {
  of<V>(path: string, stamp: string, read: () => V): V;
  end(): void;
}

interface Reading {
  readonly stamp: string;
  readonly value: unknown;
}
