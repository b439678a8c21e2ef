import zlib from "node:zlib";
import { type CodecOptions, type OnUsed, throughCodec } from "./codec.js";
import { compressionOf } from "./compression.js";
import { Peeked } from "./peeked.js";
import { throughProgram } from "./program.js";
import { throughZstd } from "./zstd.js";

export interface DecompressOptions {
  readonly signal?: AbortSignal;
  /** Told of each piece of the compressed bytes that is used up. Bytes that pass as they are are the reader's. */
  readonly onUsed?: OnUsed;
  /** The reader keeps no piece when asking for the next: its memory may be freed then. */
  readonly isBrief?: boolean;
}

/** Node's zlib inflates three times faster with pieces of this size than with its own of 16 KiB. */
const chunkSize = 512 << 10;

/**
 * Unpacks a stream whose compression its first bytes tell: gzip and zstd (several members or frames in a row too),
 * bzip2 and xz by the programs of that name; anything else passes as it is. Pieces of up to 512 KiB; what has been
 * unpacked and not been read yet stays below a few of them, whatever the stream unpacks to. Zeros behind a gzip stream
 * are passed over, anything else there is refused. Inflating runs on libuv's pool.
 *
 * @throws InvalidParameter: truncated or corrupt; Unavailable: no program for it; `signal.reason` when aborted
 */
export async function* decompressed(
  bytes: AsyncIterable<Uint8Array>,
  { signal, onUsed, isBrief = false }: DecompressOptions = {},
): AsyncGenerator<Uint8Array> {
  const source = new Peeked(bytes, signal);
  try {
    await source.peek(6);
    for await (const chunk of unpacked(source, { onUsed, isBrief })) {
      signal?.throwIfAborted();
      yield chunk;
    }
  } finally {
    await source.close();
  }
}

function unpacked(source: Peeked, options: CodecOptions): AsyncIterable<Uint8Array> {
  const compression = compressionOf(source.first);
  switch (compression) {
    case "none":
      return source;
    case "gzip":
      return throughCodec("gzip", zlib.createGunzip({ chunkSize }), source, options);
    case "zstd":
      return throughZstd(source, options);
    default:
      return throughProgram(compression, source, options);
  }
}
