import zlib from "node:zlib";
import { type OnUsed, throughCodec } from "./codec.js";

const chunkSize = 256 << 10;

/**
 * Bytes compressed by gzip, on libuv's pool. The same bytes give the same ones: the header has neither name nor time.
 *
 * @param onUsed told of each piece of `bytes` that is used up
 */
export function gzipped(bytes: AsyncIterable<Uint8Array>, onUsed?: OnUsed): AsyncGenerator<Uint8Array> {
  return throughCodec("gzip", zlib.createGzip({ chunkSize }), bytes, onUsed && { onUsed });
}
