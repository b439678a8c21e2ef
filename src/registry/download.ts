import { DataLoss, type Descriptor } from "../spec/index.js";
import type { Answer } from "./exchange.js";
import type { BlobOptions } from "./options.js";
import { Attempts, Passing } from "./passing.js";

import type { Shared } from "./shared.js";

/** After as many bytes in one go a download is taken to be well again. */
const muchBytes = 1024 * 1024;

/**
 * The bytes of a blob, gone on with where they were cut. Not verified.
 *
 * @param open asks for the bytes from `offset` on, once
 */
export async function* download(
  shared: Shared,
  blob: Descriptor,
  open: (offset: number) => Promise<Answer>,
  { signal, onRetry }: BlobOptions = {},
): AsyncGenerator<Uint8Array> {
  const attempts = new Attempts(shared, { signal });
  let offset = 0;
  while (offset < blob.size || offset === 0) {
    const before = offset;
    try {
      for await (const chunk of bytesFrom(await open(offset), offset, blob)) {
        offset += chunk.length;
        yield chunk;
      }
      if (offset >= blob.size) return;
      throw new Passing(`${blob.digest}: ended after ${offset} of ${blob.size} bytes`);
    } catch (error) {
      if (offset - before >= muchBytes) attempts.startAnew();
      await attempts.afterFailure(error, (why, delayMs) => onRetry?.(why, offset, delayMs));
    }
  }
}

/** What an answer brings, from `offset` on: a server may well give all where a part was asked for. */
async function* bytesFrom(answer: Answer, offset: number, blob: Descriptor): AsyncGenerator<Uint8Array> {
  const { start, total } = extentOf(answer);
  if (start > offset)
    throw new Passing(`${blob.digest}: asked for bytes from ${offset} on, got those from ${start} on`);
  if (total !== undefined && total !== blob.size) {
    await answer.discard();
    throw new DataLoss(`${blob.digest}: ${answer.url.host} has ${total} bytes of it, it should have ${blob.size}`);
  }
  let known = offset - start;
  for await (const chunk of answer.body()) {
    const rest = chunk.subarray(known);
    known = Math.max(0, known - chunk.length);
    if (rest.length > 0) yield rest;
  }
}

/** Which bytes are in the answer, and how many there are; undefined where it does not tell. */
function extentOf(answer: Answer): { readonly start: number; readonly total: number | undefined } {
  if (answer.status !== 206) return { start: 0, total: numberIn(answer.header("content-length")) };
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(answer.header("content-range") ?? "") ?? [];
  return { start: numberIn(start) ?? 0, total: numberIn(total) };
}

/** A header's value that should be a whole number. */
export function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
