import zlib from "node:zlib";
import { throughCodec } from "./codec.js";
import { compressionOf } from "./compression.js";
import { throughProgram } from "./program.js";
import { throughZstd } from "./zstd.js";

export interface DecompressOptions {
  readonly signal?: AbortSignal;
}

/** Node's zlib inflates three times faster with pieces of this size than with its own of 16 KiB. */
const chunkSize = 1 << 20;

/**
 * Unpacks a stream whose compression its first bytes tell: gzip and zstd (several members or frames in a row too),
 * bzip2 and xz by the programs of that name; anything else passes as it is. Pieces of up to 1 MiB; what has been
 * unpacked and not been read yet stays below a few of them, whatever the stream unpacks to. What follows a gzip
 * stream and is none is passed over, as gzip does. Inflating runs on libuv's pool.
 *
 * @throws InvalidParameter: truncated or corrupt; Unavailable: no program for it; `signal.reason` when aborted
 */
export async function* decompressed(
  bytes: AsyncIterable<Uint8Array>,
  { signal }: DecompressOptions = {},
): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  const source = await Peeked.open(bytes);
  const compression = compressionOf(source.first);
  switch (compression) {
    case "none":
      return yield* source;
    case "gzip":
      return yield* throughCodec("gzip", zlib.createGunzip({ chunkSize }), source, signal);
    case "zstd":
      return yield* throughZstd(source, signal);
    default:
      return yield* throughProgram(compression, source, signal);
  }
}

/** A stream whose first bytes have been looked at. Yields all of it, once. */
class Peeked implements AsyncIterable<Uint8Array> {
  readonly first: Uint8Array;
  readonly #rest: AsyncIterator<Uint8Array>;

  constructor(first: Uint8Array, rest: AsyncIterator<Uint8Array>) {
    this.first = first;
    this.#rest = rest;
  }

  /** Reads until six bytes are there, or all. */
  static async open(bytes: AsyncIterable<Uint8Array>): Promise<Peeked> {
    const rest = bytes[Symbol.asyncIterator]();
    let first: Uint8Array = new Uint8Array(0);
    while (first.length < 6) {
      const next = await rest.next();
      if (next.done) break;
      first = first.length === 0 ? next.value : Buffer.concat([first, next.value]);
    }
    return new Peeked(first, rest);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      if (this.first.length > 0) yield this.first;
      for (let next = await this.#rest.next(); !next.done; next = await this.#rest.next()) yield next.value;
    } finally {
      await this.#rest.return?.();
    }
  }
}
