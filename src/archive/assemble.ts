import { NotImplemented, type Path } from "../spec/index.js";
import type { TarSplitRecord } from "./tar-split.js";

/** Opens the content of a layer's file; the path is clean, and resolving symlinks inside the layer is the opener's. */
export type OpenFile = (path: Path, size: number) => AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>;
export type OpenFileSync = (path: Path, size: number) => Iterable<Uint8Array>;

/**
 * Rebuilds a layer's archive, byte for byte, from its tar-split and its files. The digest of what comes out is the
 * caller's to verify.
 *
 * @throws DataLoss: tar-split damaged, a file missing or changed ("file integrity checksum failed for …")
 */
// biome-ignore lint/correctness/useYield: face before body
export async function* assemble(split: AsyncIterable<Uint8Array>, open: OpenFile): AsyncGenerator<Uint8Array> {
  throw new NotImplemented(`assemble ${split} ${open}`);
}

/** The same without waiting, for a worker: one call a file, no promise. */
// biome-ignore lint/correctness/useYield: face before body
export function* assembleSync(records: Iterable<TarSplitRecord>, open: OpenFileSync): Generator<Uint8Array> {
  throw new NotImplemented(`assemble ${records} ${open}`);
}
