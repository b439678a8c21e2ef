import type { OldForm } from "../archive/index.js";
import type { DiffSource, WriteTarget } from "../driver/index.js";
import { type DiffID, DigestMismatch } from "../spec/index.js";
import { SourceFailure } from "../threads/index.js";
import type { RebuildJob, Unpacked } from "./jobs.js";
import { layerThreads } from "./layer-threads.js";

// Layers outside of a store: for who mends one that cannot be opened, and has to look after all that a store does.

/** Where a layer's content goes, and the path of its `tar-split.json.gz`, which is made. */
export interface BareTarget {
  readonly target: WriteTarget;
  readonly split: string;
}

/** A layer's files, and what tells of its archive. */
export type BareLayer = Pick<RebuildJob, "root" | "split" | "diffID">;

interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Unpacks a layer tar, plain or compressed.
 *
 * @throws DigestMismatch: it is not `expected`; InvalidParameter: no layer tar; what reading `tar` threw
 */
export async function unpackBare(
  tar: AsyncIterable<Uint8Array>,
  into: BareTarget,
  { expected, signal }: { readonly expected: DiffID } & Abortable,
): Promise<Unpacked> {
  try {
    const unpacked = await layerThreads.feed<Unpacked>({ kind: "unpack", ...into }, tar, { signal });
    if (unpacked.diffID !== expected) throw new DigestMismatch("the layer's tar", expected, unpacked.diffID);
    return unpacked;
  } catch (error) {
    throw error instanceof SourceFailure ? error.cause : error;
  }
}

/** Copies what `source` changes, and records the tar that it is packed to. @param form that of an old dockerd */
export function recordBare(
  source: DiffSource,
  into: BareTarget,
  { form, signal }: { readonly form?: OldForm | undefined } & Abortable = {},
): Promise<Unpacked> {
  return layerThreads.run<Unpacked>({ kind: "record", ...into, source, form }, { signal });
}

/** The very bytes of a layer's tar, as they are read. @throws DataLoss: files or tar-split are not what they were */
export function rebuildBare(layer: BareLayer, { signal }: Abortable = {}): AsyncIterable<Uint8Array> {
  return layerThreads.read({ kind: "rebuild", ...layer }, { signal });
}

/** Rebuilds a layer's tar for its digest alone. @throws as `rebuildBare` */
export async function verifyBare(layer: BareLayer, { signal }: Abortable = {}): Promise<void> {
  await layerThreads.run({ kind: "verify", ...layer }, { signal });
}
