import type { Change, ChangeHead, SyncChange } from "../overlayfs/index.js";
import { DataLoss } from "../spec/index.js";
import { Gather } from "./gather.js";
import { TarEncoder } from "./tar-encoder.js";

/**
 * Changes as a tar archive, exactly as a commit, an export or `docker save` writes it; small pieces are gathered. Also
 * for archives that are no layers: `{ kind: "file", path: "manifest.json", … }`. A body longer than its `size` is cut:
 * the file grew meanwhile.
 *
 * @throws DataLoss: a body shorter than its `size`
 */
export async function* tarOf(changes: AsyncIterable<Change> | Iterable<Change>): AsyncGenerator<Uint8Array> {
  const tar = new TarEncoder();
  const gather = new Gather();
  for await (const change of changes) {
    yield* gather.add(tar.head(change));
    if (change.kind !== "file") continue;
    const content = new Content(change);
    if (change.size > 0) {
      for await (const chunk of change.body) {
        yield* gather.add(content.cut(chunk));
        if (content.left === 0) break;
      }
    }
    yield* gather.add(content.end(tar));
  }
  yield* gather.add(tar.end());
  yield* gather.rest();
}

/** The same without waiting, for a worker. */
export function* tarOfSync(changes: Iterable<SyncChange>): Generator<Uint8Array> {
  const tar = new TarEncoder();
  const gather = new Gather();
  for (const change of changes) {
    yield* gather.add(tar.head(change));
    if (change.kind !== "file") continue;
    const content = new Content(change);
    if (change.size > 0) {
      for (const chunk of change.body) {
        yield* gather.add(content.cut(chunk));
        if (content.left === 0) break;
      }
    }
    yield* gather.add(content.end(tar));
  }
  yield* gather.add(tar.end());
  yield* gather.rest();
}

/** Holds a file's content to the size that its header has. */
class Content {
  readonly #file: Extract<ChangeHead, { kind: "file" }>;
  left: number;

  constructor(file: Extract<ChangeHead, { kind: "file" }>) {
    this.#file = file;
    this.left = file.size;
  }

  cut(chunk: Uint8Array): Uint8Array {
    const taken = chunk.length <= this.left ? chunk : chunk.subarray(0, this.left);
    this.left -= taken.length;
    return taken;
  }

  /** @returns the padding */
  end(tar: TarEncoder): Uint8Array {
    const { path, size } = this.#file;
    if (this.left === 0) return tar.padding(size);
    throw new DataLoss(`file ${JSON.stringify(path)} ended after ${size - this.left} of ${size} bytes: it shrank`);
  }
}
