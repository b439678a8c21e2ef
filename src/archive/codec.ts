import type { Transform } from "node:stream";
import { InvalidParameter, messageOf } from "../spec/index.js";
import { free, freed } from "./free.js";

/**
 * Passes `source` through one of zlib's streams. The reader's pace holds: the codec stops when a piece or two are
 * waiting.
 *
 * @param name of the compression, for messages
 * @throws InvalidParameter: truncated or corrupt; what `source` throws
 */
export async function* throughCodec(
  name: string,
  codec: Transform,
  source: AsyncIterable<Uint8Array>,
  { onUsed, isBrief = false }: CodecOptions = {},
): AsyncGenerator<Uint8Array> {
  const feeding = feed(source, codec, onUsed);
  try {
    const pieces = codec as AsyncIterable<Uint8Array<ArrayBuffer>>;
    yield* isBrief ? allFreed(pieces) : pieces;
  } catch (error) {
    if (feeding.failure) throw feeding.failure.error;
    const why = messageOf(error) === "unexpected end of file" ? "truncated" : messageOf(error);
    throw new InvalidParameter(`${name} stream damaged: ${why}`, { cause: error });
  } finally {
    codec.destroy();
  }
}

/** `freed`, and the buffer that the last piece does not fill: a codec that has ended puts nothing more there. */
async function* allFreed(pieces: AsyncIterable<Uint8Array<ArrayBuffer>>): AsyncGenerator<Uint8Array> {
  let last: ArrayBuffer | undefined;
  for await (const piece of freed(pieces)) {
    last = piece.buffer as ArrayBuffer;
    yield piece;
  }
  if (last && last.byteLength > 0) free(last);
}

/** Told of a piece that nothing reads any more. */
export type OnUsed = (piece: Uint8Array) => void;

export interface CodecOptions {
  readonly onUsed?: OnUsed | undefined;
  /** Memory of a piece may be freed when the next is asked for. */
  readonly isBrief?: boolean;
}

/** What became of the writing side. */
export interface Feeding {
  failure?: { readonly error: unknown };
}

/**
 * Writes all of `source` into a stream and ends it; a failure of the source destroys the stream. Once the stream is
 * destroyed, reading stops at the next piece.
 */
export function feed(
  source: AsyncIterable<Uint8Array>,
  into: NodeJS.WritableStream & Closable,
  onUsed: OnUsed = () => {},
): Feeding {
  const feeding: Feeding = {};
  const run = async () => {
    try {
      for await (const chunk of source) {
        // A piece may be gone when the next is asked for; after a failure another thread may still be reading it.
        if (into.destroyed || !(await isTaken(into, chunk))) return;
        onUsed(chunk);
      }
      into.end();
    } catch (error) {
      feeding.failure = { error };
      into.destroy(error instanceof Error ? error : new Error(messageOf(error)));
    }
  };
  void run();
  return feeding;
}

interface Closable {
  readonly destroyed: boolean;
  destroy(error?: Error): unknown;
}

/** Writes a piece. @returns whether it is used up; false: the stream takes nothing more */
function isTaken(stream: NodeJS.WritableStream, piece: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const closed = () => resolve(false);
    stream.once("close", closed);
    stream.write(piece, (error) => {
      stream.off("close", closed);
      resolve(!error);
    });
  });
}
