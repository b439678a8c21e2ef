import type { Path } from "../../spec/index.js";
import { directory, file, type WholeChange } from "./changes.js";

/** Bytes that look random, the same for the same seed. */
export function seededBytes(size: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = (seed + 1) * 2_654_435_761;
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = state >>> 16;
  }
  return bytes;
}

/** `count` files of 64 bytes, a hundred a directory, as upstream's tests make them; another seed, another time. */
export function* manyFiles(count: number, seed: number): Generator<WholeChange> {
  for (let i = 0; i < count; i++) {
    if (i % 100 === 0) yield directory(`directory-${i}`, { mode: 0o755 });
    yield file(manyFilesPath(i), seededBytes(64, seed * 1_000_003 + i), {
      mode: 0o755,
      mtimeNs: BigInt(seed) * 1_000_000_000n,
    });
  }
}

export function manyFilesPath(i: number): Path {
  return `directory-${i - (i % 100)}/file-${i}`;
}
