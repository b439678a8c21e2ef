import type { FileHandle } from "node:fs/promises";

const blockSize = 64 << 10;
const newline = 10;

/**
 * Where the last `lines` lines of a file begin, found from its end.
 *
 * @param size of the part that counts; a last line without its end counts as one
 * @returns the offset, and how many lines there are behind it: fewer when the whole file has no more
 */
export async function tailOffset(
  file: FileHandle,
  size: number,
  lines: number,
): Promise<{ offset: number; found: number }> {
  if (lines === 0) return { offset: size, found: 0 };
  const block = Buffer.allocUnsafe(Math.min(blockSize, size));
  let found = 0;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - block.length);
    const { bytesRead } = await file.read(block, 0, end - start, start);
    if (bytesRead < end - start) throw new Error("the file has become shorter while it was read");
    for (let at = lastNewline(block, bytesRead); at >= 0; at = lastNewline(block, at)) {
      // The one that ends the file begins no line.
      if (start + at === size - 1) continue;
      if (++found === lines) return { offset: start + at + 1, found };
    }
    end = start;
  }
  return { offset: 0, found: size === 0 ? 0 : found + 1 };
}

/** Before `end`. */
function lastNewline(block: Buffer, end: number): number {
  return end === 0 ? -1 : block.lastIndexOf(newline, end - 1);
}
