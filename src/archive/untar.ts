import type { TarMember } from "./tar-member.js";
import { TarParser } from "./tar-parser.js";

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
export async function* untar(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const found = new Found(bytes);
  try {
    for (let next = await found.next(); next !== undefined; next = await found.next()) {
      if (!(next instanceof Uint8Array)) yield { ...next, body: bodyOf(found, next) };
    }
  } finally {
    await found.close();
  }
}

/** The content of `member`, as long as it is the one read last. */
async function* bodyOf(found: Found, member: TarMember): AsyncGenerator<Uint8Array> {
  for (let left = member.size; left > 0; ) {
    if (found.member !== member) throw new Error(`content of ${member.name} read after the next member was asked for`);
    const chunk = await found.next();
    if (!(chunk instanceof Uint8Array)) throw new Error(`content of ${member.name} was read before`);
    left -= chunk.length;
    yield chunk;
  }
}

/** Members and pieces of their content, one after the other, as they are pulled. */
class Found {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #parser: TarParser;
  /** What the chunk read last had in it; `#at` is the next to give out. */
  #queue: (TarMember | Uint8Array)[] = [];
  #at = 0;
  /** Given out last. */
  member: TarMember | undefined;

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#source = bytes[Symbol.asyncIterator]();
    this.#parser = new TarParser({
      member: (member) => this.#queue.push(member),
      data: (chunk) => this.#queue.push(chunk),
    });
  }

  async next(): Promise<TarMember | Uint8Array | undefined> {
    while (this.#at === this.#queue.length) {
      this.#queue = [];
      this.#at = 0;
      const { done, value } = await this.#source.next();
      if (done) {
        this.#parser.end();
        return undefined;
      }
      this.#parser.write(value);
    }
    const next = this.#queue[this.#at++]!;
    if (!(next instanceof Uint8Array)) this.member = next;
    return next;
  }

  async close(): Promise<void> {
    this.member = undefined;
    await this.#source.return?.();
  }
}
