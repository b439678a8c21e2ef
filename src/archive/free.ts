import { MessageChannel, type MessagePort } from "node:worker_threads";

let nowhere: MessagePort | undefined;

/**
 * Frees memory at once: it is handed over to nobody. The collector lets tens of megabytes come together first, in each
 * thread. All views of it are empty then.
 */
export function free(buffer: ArrayBuffer): void {
  nowhere ??= closedPort();
  nowhere.postMessage(undefined, [buffer]);
}

/**
 * The same pieces, their memory freed when the next is asked for: for what a socket
 * or zlib gives out, whose pieces nobody else sees, to readers that keep none. A piece that does not end its buffer may share it with the next:
 * it is left to the collector.
 */
export async function* freed(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) {
    yield piece;
    if (endsItsBuffer(piece)) free(piece.buffer);
  }
}

/** Whoever cuts pieces out of one buffer takes another after this one. */
function endsItsBuffer(piece: Uint8Array): piece is Uint8Array<ArrayBuffer> {
  const { byteOffset, length, buffer } = piece;
  return length > 0 && byteOffset + length === buffer.byteLength && buffer instanceof ArrayBuffer;
}

function closedPort(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  return port1;
}
