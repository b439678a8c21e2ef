import { NotImplemented } from "../spec/index.js";
import type { TarMember } from "./tar-member.js";

/** A member with its content. An unread `body` is skipped at the next member. */
export interface TarEntry extends TarMember {
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * The members of a plain (uncompressed) archive that is no layer, in order: `docker cp`, build contexts. Names are as
 * in the archive: use `cleanPath`. Global headers are left out.
 *
 * @throws InvalidParameter: not a tar archive, or a damaged one
 */
// biome-ignore lint/correctness/useYield: face before body
export async function* untar(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  throw new NotImplemented(`tar ${bytes}`);
}
