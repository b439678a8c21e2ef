import { NotImplemented } from "../spec/index.js";

/** One line of a tar-split file. `crc` is CRC-64/ISO, 8 bytes big-endian. */
export type TarSplitRecord =
  | { readonly kind: "segment"; readonly payload: Uint8Array }
  | { readonly kind: "file"; readonly name: string; readonly size: number; readonly crc: Uint8Array };

/**
 * Writes tar-split: JSON lines, not yet compressed, from which and the files of the layer the archive can be rebuilt.
 * `out` gets pieces of about 64 KiB, each its own buffer; compress them with gzip (level 1 is enough) into
 * `tar-split.json.gz`.
 *
 * @see docker-data-root.md 6.2
 */
export class TarSplitWriter {
  constructor(out: (chunk: Uint8Array) => void) {
    void out;
  }

  /** Bytes `start` to `end` of `bytes` are archive bytes that are no file content. */
  raw(bytes: Uint8Array, start: number, end: number): void {
    throw new NotImplemented(`split ${bytes.length} ${start} ${end}`);
  }

  /** A member begins; its `size` bytes follow by `data`. @param name as in the archive, not cleaned */
  file(name: string, size: number): void {
    throw new NotImplemented(`split ${name} ${size}`);
  }

  data(chunk: Uint8Array): void {
    throw new NotImplemented(`split ${chunk.length}`);
  }

  /** Hands the last piece to `out`. */
  end(): void {
    throw new NotImplemented("split");
  }
}

/**
 * Reads the records of a tar-split file, compressed or not, written by us or by others.
 *
 * @throws DataLoss: truncated or malformed
 */
// biome-ignore lint/correctness/useYield: face before body
export async function* tarSplitRecords(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<TarSplitRecord> {
  throw new NotImplemented(`split ${bytes}`);
}
