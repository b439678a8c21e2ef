import type { Transform } from "node:stream";
import { setImmediate } from "node:timers/promises";
import zlib from "node:zlib";
import { DataLoss, InvalidParameter } from "../spec/index.js";
import { ZstdDecompressor } from "../sys/index.js";
import { type CodecOptions, throughCodec } from "./codec.js";

/** In Node from 22.15 on. */
const native = zlib as { createZstdDecompress?: (options: { chunkSize: number }) => Transform };
/** Bytes unpacked by libzstd on this thread before others get their turn: about a millisecond. */
const turn = 1 << 20;

/**
 * Unpacks zstd: by Node's own where it has it, on libuv's pool; else by the system's libzstd, on this thread in turns
 * of a millisecond. A window of more than 128 MiB is refused.
 */
export async function* throughZstd(
  source: AsyncIterable<Uint8Array>,
  options: CodecOptions,
): AsyncGenerator<Uint8Array> {
  if (native.createZstdDecompress) {
    return yield* throughCodec("zstd", native.createZstdDecompress({ chunkSize: turn }), source, options);
  }
  using zstd = new ZstdDecompressor();
  let since = 0;
  for await (const chunk of source) {
    for (const piece of pushed(zstd, chunk)) {
      yield piece;
      since += piece.length;
      if (since < turn) continue;
      since = 0;
      await setImmediate();
    }
    options.onUsed?.(chunk);
  }
  refusing(() => zstd.finish());
}

function* pushed(zstd: ZstdDecompressor, chunk: Uint8Array): Generator<Uint8Array> {
  const pieces = zstd.push(chunk);
  for (;;) {
    const next = refusing(() => pieces.next());
    if (next.done) return;
    yield next.value;
  }
}

/** What was not our data is the caller's to send anew. */
function refusing<T>(step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw error instanceof DataLoss ? new InvalidParameter(error.message, { cause: error }) : error;
  }
}
