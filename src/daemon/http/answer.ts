import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { goJSON } from "../../spec/index.js";

/** What a handler gives back; the server writes it. A body is text at hand or a stream, or the connection is handed over. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string;
  readonly stream?: AsyncIterable<Uint8Array | string>;
  /**
   * Send status and headers before the first piece of the stream is there. Without it they wait for the first piece,
   * so that an error found before it becomes an HTTP status.
   */
  readonly atOnce?: boolean;
  /** Takes the connection: what it gives goes to the client as it is, what the client sends goes to it. */
  readonly hijack?: Duplex;
  /** What to send as last piece when the stream fails; without it the connection is cut, which clients notice. */
  readonly lastWords?: (error: unknown) => string;
}

/**
 * Exactly this, without a charset: with one the docker command shows the raw JSON of errors and progress.
 * @see engine-api 1.3
 */
export const jsonType = "application/json";

/** A JSON value and a newline, in Go's spelling. */
export function json(value: unknown, status = 200): Answer {
  return { status, headers: { "Content-Type": jsonType }, text: `${goJSON(value)}\n` };
}

/** A JSON list that may be very long, in Go's spelling: between pieces of it other requests have their turn. */
export function jsonList(items: readonly unknown[]): Answer {
  return { status: 200, headers: { "Content-Type": jsonType }, stream: listPieces(items) };
}

async function* listPieces(items: readonly unknown[]): AsyncIterable<string> {
  for (let at = 0; at < items.length; at += pieceLength) {
    const piece = items.slice(at, at + pieceLength).map((item) => goJSON(item));
    yield `${at === 0 ? "[" : ","}${piece.join(",")}`;
    await setImmediate();
  }
  yield items.length === 0 ? "[]\n" : "]\n";
}

const pieceLength = 1000;

/** An answer without body: 204 unless another status is due. */
export function done(status = 204): Answer {
  return { status };
}

/** A body of bytes whose length nobody knows yet. */
export function bytes(
  stream: AsyncIterable<Uint8Array>,
  type: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status: 200, headers: { "Content-Type": type, ...headers }, stream };
}
