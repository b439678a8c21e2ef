import type { Transform } from "node:stream";
import zlib from "node:zlib";
import { Unavailable } from "../spec/index.js";
import { throughCodec } from "./codec.js";

/** In Node from 22.15 on. */
const native = zlib as { createZstdDecompress?: (options: { chunkSize: number }) => Transform };

/** Unpacks zstd by Node's own where it has it, on libuv's pool. */
export async function* throughZstd(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  if (!native.createZstdDecompress) throw new Unavailable("zstd needs Node 22.15 or newer");
  yield* throughCodec("zstd", native.createZstdDecompress({ chunkSize: 1 << 20 }), source, signal);
}
