const pieceLength = 1 << 17;

/** Gathers small pieces into ones worth passing on; large ones go through as they are. Order is kept. */
export class Gather {
  #buffer: Buffer = Buffer.allocUnsafe(pieceLength);
  #spare: Buffer | undefined;
  #held = 0;

  /** @param lends pieces are there only until the next is asked for: they are made in two buffers by turns */
  constructor(lends = false) {
    if (lends) this.#spare = Buffer.allocUnsafe(pieceLength);
  }

  /** @returns the pieces that are ready */
  add(bytes: Uint8Array): readonly Uint8Array[] {
    if (this.#held + bytes.length <= pieceLength) {
      this.#buffer.set(bytes, this.#held);
      this.#held += bytes.length;
      return nothing;
    }
    const ready = this.rest();
    return bytes.length < pieceLength / 2 ? [...ready, ...this.add(bytes)] : [...ready, bytes];
  }

  /** @returns what is held */
  rest(): readonly Uint8Array[] {
    if (this.#held === 0) return nothing;
    const ready = this.#buffer.subarray(0, this.#held);
    const next = this.#spare ?? Buffer.allocUnsafe(pieceLength);
    if (this.#spare) this.#spare = this.#buffer;
    this.#buffer = next;
    this.#held = 0;
    return [ready];
  }
}

const nothing: readonly Uint8Array[] = [];
