import zlib from "node:zlib";
import { throughCodec } from "./codec.js";

const chunkSize = 256 << 10;

/** Bytes compressed by gzip, on libuv's pool. The same bytes give the same ones: the header has neither name nor time. */
export function gzipped(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  return throughCodec("gzip", zlib.createGzip({ chunkSize }), bytes);
}
