/** Bytes of one block: large enough that a message is worth its cost, small enough to stay in the processor's cache. */
export const blockSize = 512 << 10;
/** Most blocks kept for later: what two streams have on their way. */
const mostKept = 4;

const kept: ArrayBuffer[] = [];
const ways = new WeakMap<ArrayBufferLike, () => void>();

/** Memory of `blockSize` bytes for a piece that goes to another thread: such as came back, or else fresh. */
export function takeBlock(): ArrayBuffer {
  return kept.pop() ?? new ArrayBuffer(blockSize);
}

/** Keeps a block for the next piece. */
export function keepBlock(block: ArrayBuffer): void {
  if (block.byteLength === blockSize && kept.length < mostKept) kept.push(block);
}

/** From now on `recycle` of this memory takes the way `home`. */
export function onRecycle(block: ArrayBufferLike, home: () => void): void {
  ways.set(block, home);
}

/**
 * Gives the memory of a piece that came from another thread back, so that the next one is made in it: fresh memory
 * costs more than all else that is done to pass bytes on. Who keeps a piece just does not call this. Afterwards the
 * piece, and every other view of its memory, is empty: it is never seen rewritten. Bytes from elsewhere are left alone.
 */
export function recycle({ buffer }: Uint8Array): void {
  const home = ways.get(buffer);
  ways.delete(buffer);
  home?.();
}

/** The same pieces, each given back when the next one is asked for: for those who use a piece at once. */
export async function* recycled(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) {
    yield piece;
    recycle(piece);
  }
}
