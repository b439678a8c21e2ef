import { randomBytes } from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { decompressed, indexTar, type TarIndex } from "../../archive/index.js";
import { DataLoss, messageOf, Unavailable, Undo } from "../../spec/index.js";

const blockSize = 1024 * 1024;

/** An archive that has been read once and can be read from anywhere, until disposed. */
export interface Spool extends AsyncDisposable {
  readonly index: TarIndex;
  /** `size` bytes from `offset` on, lazily, in pieces of up to 1 MiB. */
  read(place: { readonly offset: number; readonly size: number }): AsyncGenerator<Uint8Array>;
}

/**
 * Keeps an archive, unpacked from its compression, in a file without a name under `dir`, and says where everything in
 * it lies. The file is gone with the process, however that ends.
 *
 * @param dir absolute path; it exists
 * @throws InvalidParameter: no tar, or a damaged one; Unavailable: it cannot be stored; the reason of `signal`
 */
export async function spool(body: AsyncIterable<Uint8Array>, dir: string, signal?: AbortSignal): Promise<Spool> {
  await using undo = new Undo();
  const file = await unnamedFile(dir);
  undo.defer(() => file.close());
  const index = await indexTar(stored(decompressed(body, signal && { signal }), file, dir, signal));
  undo.done();
  return {
    index,
    read: ({ offset, size }) => piecesOf(file, offset, size),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

async function unnamedFile(dir: string): Promise<FileHandle> {
  const path = join(dir, `archive-${randomBytes(8).toString("hex")}`);
  const file = await open(path, "wx+", 0o600);
  await unlink(path);
  return file;
}

/** Passes the bytes on and writes them, in blocks, while the next ones are read. */
async function* stored(
  bytes: AsyncIterable<Uint8Array>,
  file: FileHandle,
  dir: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let [block, blockLength, position]: [Uint8Array[], number, number] = [[], 0, 0];
  let writing: Promise<void> = Promise.resolve();
  const flush = async () => {
    await writing;
    writing = writeAt(file, block, position, dir);
    writing.catch(() => undefined); // told by the next await
    [block, blockLength, position] = [[], 0, position + blockLength];
  };
  try {
    for await (const chunk of bytes) {
      signal?.throwIfAborted();
      block.push(chunk);
      blockLength += chunk.length;
      if (blockLength >= blockSize) await flush();
      yield chunk;
    }
    await flush();
  } finally {
    await writing;
  }
}

async function writeAt(file: FileHandle, block: readonly Uint8Array[], position: number, dir: string): Promise<void> {
  let [at, rest] = [position, block.filter((chunk) => chunk.length > 0)];
  try {
    while (rest.length > 0) {
      const { bytesWritten } = await file.writev(rest, at);
      at += bytesWritten;
      rest = afterBytes(rest, bytesWritten);
    }
  } catch (error) {
    throw new Unavailable(`cannot keep the archive in ${dir}: ${messageOf(error)}`, { cause: error });
  }
}

function afterBytes(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  const rest: Uint8Array[] = [];
  for (const chunk of chunks) {
    if (left < chunk.length) rest.push(left > 0 ? chunk.subarray(left) : chunk);
    left = Math.max(0, left - chunk.length);
  }
  return rest;
}

/** The next piece is read while the reader works on this one. */
async function* piecesOf(file: FileHandle, offset: number, size: number): AsyncGenerator<Uint8Array> {
  const pieceAt = async (at: number): Promise<Uint8Array> => {
    const length = Math.min(blockSize, size - at);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(length), 0, length, offset + at);
    if (bytesRead === 0) throw new DataLoss("the stored archive ended early");
    return buffer.subarray(0, bytesRead);
  };
  let next = size > 0 ? pieceAt(0) : undefined;
  try {
    for (let at = 0; next !== undefined; ) {
      const piece: Uint8Array = await next;
      at += piece.length;
      next = at < size ? pieceAt(at) : undefined;
      next?.catch(() => undefined);
      yield piece;
    }
  } finally {
    await next?.catch(() => undefined); // the file may be closed right after
  }
}
