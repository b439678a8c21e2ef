import type { FileHandle } from "node:fs/promises";

/** Bytes of a log; undefined where a file ends: a line that is not finished there never will be. */
export type Part = Buffer | undefined;

const blockSize = 256 << 10;

/** Bytes from `start` to `end`, or to where the file ends now. */
export async function* readPart(handle: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  for (let at = start; at < end; ) {
    const block = Buffer.allocUnsafe(Math.min(blockSize, end - at));
    const { bytesRead } = await handle.read(block, 0, block.length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield block.subarray(0, bytesRead);
  }
}
