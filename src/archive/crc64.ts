import { NotImplemented } from "../spec/index.js";

/** CRC-64/ISO as in Go's hash/crc64, piece by piece. */
export class Crc64 {
  /** Back to the start. */
  reset(): void {
    throw new NotImplemented("crc64");
  }
  update(chunk: Uint8Array): void {
    throw new NotImplemented(`crc64 ${chunk.length}`);
  }
  /** Of all bytes so far, 8 bytes big-endian. */
  digest(): Buffer {
    throw new NotImplemented("crc64");
  }
}
