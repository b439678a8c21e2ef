import type { Change, ChangeHead, SyncChange } from "../overlayfs/index.js";
import { NotImplemented } from "../spec/index.js";

/**
 * Writes changes as Docker's tar writer does: ustar where everything fits, PAX records where not, owners by number
 * only, times cut to seconds, of the xattrs `security.capability` alone. For a worker: nothing waits.
 *
 * @see docker-data-root.md 9.1, 9.2
 */
export class TarEncoder {
  /** All bytes of the archive up to the content of `change`; for other kinds than `file` the whole entry. */
  head(change: ChangeHead): Uint8Array {
    throw new NotImplemented(`tar ${change.path}`);
  }
  /** What follows the content of a file of `size` bytes. */
  padding(size: number): Uint8Array {
    throw new NotImplemented(`tar ${size}`);
  }
  /** The two zero blocks at the end. */
  end(): Uint8Array {
    throw new NotImplemented("tar");
  }
}

/**
 * Changes as a tar archive, exactly as a commit, an export or `docker save` writes it; small pieces are gathered. Also
 * for archives that are no layers: `{ kind: "file", path: "manifest.json", … }`.
 *
 * @throws DataLoss: a body shorter or longer than its `size`
 */
// biome-ignore lint/correctness/useYield: face before body
export async function* tarOf(changes: AsyncIterable<Change> | Iterable<Change>): AsyncGenerator<Uint8Array> {
  throw new NotImplemented(`tar ${changes}`);
}

/** The same without waiting, for a worker. */
// biome-ignore lint/correctness/useYield: face before body
export function* tarOfSync(changes: Iterable<SyncChange>): Generator<Uint8Array> {
  throw new NotImplemented(`tar ${changes}`);
}
