import { decompressed, type TarIndex, TarIndexer, untar } from "../../archive/index.js";
import { Undo } from "../../spec/index.js";
import { type Content, Sorting } from "./sorting.js";
import { Spool } from "./spool.js";
import type { LoadTargets } from "./targets.js";
import type { Telling } from "./telling.js";

/** An archive that has been read to its end. Disposed, it gives up every layer of it that was not placed. */
export interface Intake extends AsyncDisposable {
  readonly index: TarIndex;
  /** Where the content of each file is, by its offset in the archive. */
  readonly contents: ReadonlyMap<number, Content>;
  readonly spool: Spool;
}

/**
 * Reads an archive once, from its beginning to its end. What says which layers there are may come last; so everything
 * that looks like a layer is unpacked as it comes by.
 *
 * @throws InvalidParameter: no tar, or a damaged one; Unavailable: it cannot be kept; the reason of `signal`
 */
export async function takeIn(body: AsyncIterable<Uint8Array>, targets: LoadTargets, telling: Telling): Promise<Intake> {
  const owned = new Undo();
  try {
    const spool = await Spool.open(targets.tmp);
    owned.defer(() => spool[Symbol.asyncDispose]());
    const sorting = new Sorting(targets, spool, telling);
    owned.defer(() => sorting[Symbol.asyncDispose]());
    const indexer = new TarIndexer();
    for await (const entry of untar(indexed(decompressed(body, { signal: telling.signal }), indexer))) {
      if (entry.kind === "file") await sorting.take(entry);
    }
    const { contents } = sorting;
    return { index: indexer.end(), contents, spool, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
  } catch (error) {
    await owned[Symbol.asyncDispose]();
    throw error;
  }
}

async function* indexed(bytes: AsyncIterable<Uint8Array>, indexer: TarIndexer): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    indexer.write(chunk);
    yield chunk;
  }
}
