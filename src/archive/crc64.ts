/**
 * CRC-64/ISO as in Go's hash/crc64, piece by piece, at memory-like speed without a table: the polynomial is
 * x^64 + x^4 + x^3 + x + 1, so multiplying 64 bits by x^64 is a handful of shifts.
 *
 * The register is reflected: bit 0 is x^63, `>>> 1` multiplies by x. Of c * (x^4 + x^3 + x + 1) the bits shifted out
 * stand for x^64 and up again; they are folded in beforehand as `c << 60 ^ c << 61 ^ c << 63`.
 */
export class Crc64 {
  #low = -1;
  #high = -1;

  /** Back to the start. */
  reset(): void {
    this.#low = -1;
    this.#high = -1;
  }

  update(chunk: Uint8Array): void {
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const end = chunk.byteLength & ~7;
    let low = this.#low;
    let high = this.#high;
    for (let at = 0; at < end; at += 8) {
      const a = low ^ view.getInt32(at, true);
      const b = high ^ view.getInt32(at + 4, true) ^ (a << 31) ^ (a << 29) ^ (a << 28);
      low = a ^ (a >>> 1) ^ (a >>> 3) ^ (a >>> 4) ^ (b << 31) ^ (b << 29) ^ (b << 28);
      high = b ^ (b >>> 1) ^ (b >>> 3) ^ (b >>> 4);
    }
    for (let at = end; at < chunk.byteLength; at++) {
      const out = (low ^ chunk[at]!) << 24;
      low = (low >>> 8) | (high << 24);
      high = (high >>> 8) ^ out ^ (out >>> 1) ^ (out >>> 3) ^ (out >>> 4);
    }
    this.#low = low;
    this.#high = high;
  }

  /** Of all bytes so far, 8 bytes big-endian. */
  digest(): Buffer {
    const sum = Buffer.allocUnsafe(8);
    sum.writeInt32BE(~this.#high, 0);
    sum.writeInt32BE(~this.#low, 4);
    return sum;
  }
}
