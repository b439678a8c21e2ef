import { readSync } from "node:fs";
import { fstat, Stat } from "../../sys/index.js";
import type { FileBody } from "../read/file-body.js";
import type { WritingFile } from "./writing-file.js";

/** The room of all pieces: each is used up before the next. */
const room = Buffer.allocUnsafeSlow(1 << 20);
const stat = new Stat();
/** More than the coarsest clock from which kernels take the time of a change. */
const tickNs = 50_000_000n;

/** Moves content from file to file. @see LayerWriter.take */
export function* takeContent(body: FileBody, file: WritingFile): Generator<Uint8Array, void, undefined> {
  const before = fstat(body.fd, stat).ctimeNs;
  if (!file.share(body.fd)) return yield* copied(body, file);
  if (!file.isWhole) throw body.changed(fstat(body.fd, stat).size);
  const same = unchanged(body.fd, file.size, before);
  if (same) yield same;
  else yield* pieces(file.fd, file.size);
}

function* copied(body: FileBody, file: WritingFile): Generator<Uint8Array, void, undefined> {
  for (const piece of pieces(body.fd, file.size)) {
    file.write(piece);
    yield piece;
  }
  if (!file.isWhole) throw body.changed(fstat(body.fd, stat).size);
}

/**
 * What is now shared, read from the original: the kernel has that in memory more often than the copy.
 *
 * @param ctime when the original had last been changed, as seen before its blocks were shared
 * @returns undefined: too large to be read in one step, or perhaps changed since. Sharing has written out all that was
 * changed by then and made its pages read-only, so a later change, by a mapping too, moves `ctime`; only one within
 * the same tick of the clock might not.
 */
function unchanged(original: number, size: number, ctime: bigint): Uint8Array | undefined {
  const isOld = ctime < BigInt(Date.now()) * 1_000_000n - tickNs;
  if (!isOld || size > room.length) return undefined;
  const [content] = [...pieces(original, size)];
  return content?.length === size && fstat(original, stat).ctimeNs === ctime ? content : undefined;
}

/** Content from the start, `size` bytes at most. */
function* pieces(fd: number, size: number): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < size; ) {
    const length = readSync(fd, room, 0, Math.min(size - at, room.length), at);
    if (length === 0) return;
    at += length;
    yield room.subarray(0, length);
  }
}
