import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { InvalidParameter } from "../../spec/index.js";
import { bodyOf } from "./body.js";

/** A request and where its answer goes. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What the request brings with it, once. */
  readonly body: AsyncIterable<Uint8Array>;
}

export function exchange(request: IncomingMessage, response: ServerResponse): Exchange {
  return { request, response, body: bodyOf(request) };
}

/** The next `length` bytes of a stream, and none of those after them. @throws InvalidParameter: it ends before */
export async function* exactly(source: Readable, length: number): AsyncGenerator<Uint8Array> {
  for (let left = length; left > 0; ) {
    const chunk: Buffer | null = source.read();
    if (chunk === null) {
      if (!source.readable) throw new InvalidParameter(`request body ends ${left} bytes early`);
      await once(source, "readable");
      continue;
    }
    if (chunk.length > left) source.unshift(chunk.subarray(left));
    yield chunk.subarray(0, left);
    left -= Math.min(left, chunk.length);
  }
}
