import { NotImplemented } from "../spec/index.js";

/**
 * Unpacks a stream whose compression its first bytes tell: gzip and zstd (several members or frames in a row too),
 * bzip2 and xz by the programs of that name; anything else passes as it is. Pieces of up to 1 MiB; what has been
 * unpacked and not been read yet stays below a few of them, whatever the stream unpacks to.
 *
 * @throws InvalidParameter: truncated or corrupt; Unavailable: no program for it; `signal.reason` when aborted
 */
// biome-ignore lint/correctness/useYield: face before body
export async function* decompressed(
  bytes: AsyncIterable<Uint8Array>,
  options: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<Uint8Array> {
  throw new NotImplemented(`decompress ${bytes} ${options}`);
}
