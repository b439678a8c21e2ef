/**
 * A set of strings that keeps 64 bits of each, for archives of millions of entries: 10 to 20 bytes a name (30 while it
 * grows) instead of some 150 in a `Set`. Two different names count as one with a chance of n² / 2^65: 3 in 10^6 for
 * ten million. The hash is keyed, so no archive can be made to hit that, or to make the table slow.
 */
export class Seen {
  /** Pairs of 32 bits, open addressing; a pair that starts with 0 is free. */
  #slots = new Int32Array(2 * 1024);
  #count = 0;
  readonly #key = crypto.getRandomValues(new Int32Array(2));

  get size(): number {
    return this.#count;
  }

  /** @returns false when the name was there */
  add(name: string): boolean {
    const [a, b] = this.#hash(name);
    if (!insert(this.#slots, a, b)) return false;
    if (++this.#count * 2.5 > this.#slots.length) this.#grow();
    return true;
  }

  has(name: string): boolean {
    const [a, b] = this.#hash(name);
    return isIn(this.#slots, a, b);
  }

  #hash(name: string): [number, number] {
    let a = this.#key[0]!;
    let b = this.#key[1]!;
    for (let i = 0; i < name.length; i++) {
      const unit = name.charCodeAt(i);
      a = Math.imul(a ^ unit, 0x85ebca6b);
      a ^= a >>> 15;
      b = Math.imul(b + unit, 0x9e3779b1) ^ a;
      b = (b << 13) | (b >>> 19);
    }
    b = mix(b ^ a);
    a = mix(a + b) || 1;
    return [a, b];
  }

  #grow(): void {
    const larger = new Int32Array(2 * this.#slots.length);
    for (let i = 0; i < this.#slots.length; i += 2) {
      if (this.#slots[i] !== 0) insert(larger, this.#slots[i]!, this.#slots[i + 1]!);
    }
    this.#slots = larger;
  }
}

function insert(slots: Int32Array, a: number, b: number): boolean {
  const mask = slots.length - 2;
  for (let at = (a << 1) & mask; ; at = (at + 2) & mask) {
    if (slots[at] === 0) {
      slots[at] = a;
      slots[at + 1] = b;
      return true;
    }
    if (slots[at] === a && slots[at + 1] === b) return false;
  }
}

function isIn(slots: Int32Array, a: number, b: number): boolean {
  const mask = slots.length - 2;
  for (let at = (a << 1) & mask; slots[at] !== 0; at = (at + 2) & mask) {
    if (slots[at] === a && slots[at + 1] === b) return true;
  }
  return false;
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return mixed ^ (mixed >>> 16);
}
