const control = "@abcdefghijklmnopqrstuvwxyz[\\]^_";

/** What is typed at a terminal to leave a process running. */
export const usualDetachKeys = "ctrl-p,ctrl-q";

/**
 * `ctrl-p,ctrl-q` or `a,DEL` as the bytes that the keys send.
 *
 * @throws Error that names what is no key
 * @see moby, pkg/term/ascii.go
 */
export function detachKeys(text: string): Uint8Array {
  return Uint8Array.from(text.split(","), (key) => {
    const held = /^ctrl-(.)$/i.exec(key)?.[1]?.toLowerCase();
    const code = held === undefined ? -1 : control.indexOf(held);
    if (code >= 0) return code;
    if (key === "DEL") return 127;
    if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0);
    throw new Error(`Unknown character: '${key}'`);
  });
}

/** Looks for keys in what is typed, one right after the other. */
export class DetachKeys {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /**
   * The beginning of the keys is held back until it is clear that it is none.
   *
   * @returns what gets through, and whether the keys were typed: what comes behind them is lost
   */
  take(typed: Uint8Array): { passed: Uint8Array; found: boolean } {
    const passed: number[] = [];
    for (const byte of typed) {
      if (byte !== this.#keys[this.#matched]) passed.push(...this.rest());
      if (byte !== this.#keys[this.#matched]) passed.push(byte);
      else if (++this.#matched === this.#keys.length) return { passed: Uint8Array.from(passed), found: true };
    }
    return { passed: Uint8Array.from(passed), found: false };
  }

  /** What is held back; nothing is any more. */
  rest(): Uint8Array {
    const held = this.#keys.subarray(0, this.#matched);
    this.#matched = 0;
    return held;
  }
}
