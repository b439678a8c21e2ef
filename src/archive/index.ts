/**
 * Bytes to changes and back: tar archives and their compressions, `.wh.` names, and tar-split, the record from which
 * a layer's archive is rebuilt byte for byte out of its files.
 *
 * The parsers are fed and answer without waiting (`TarParser`, `LayerParser`), so that one worker thread can hash,
 * parse and write a layer; the functions over streams (`untar`, `tarOf`, `assemble`, `decompressed`) are built on
 * them. Whatever an archive claims, memory stays bounded; what cannot be read ends in one `InvalidParameter` line
 * that names the entry (the caller adds the layer).
 */
export { assemble, assembleSync, type OpenFile, type OpenFileSync } from "./assemble.js";
export { type Compression, compressionOf } from "./compression.js";
export { Crc64 } from "./crc64.js";
export { type DecompressOptions, decompressed } from "./decompressed.js";
export { free, freed } from "./free.js";
export { gzipped } from "./gzipped.js";
export { LayerParser, type LayerParserOptions } from "./layer-parser.js";
export { Peeked } from "./peeked.js";
export { Seen } from "./seen.js";
export { type OldForm, TarEncoder } from "./tar-encoder.js";
export { isTarHeader } from "./tar-header.js";
export { indexTar, type TarIndex, type TarIndexEntry, TarIndexer } from "./tar-index.js";
export type { TarKind, TarMember, TarSink } from "./tar-member.js";
export { tarOf, tarOfSync } from "./tar-of.js";
export { TarParser } from "./tar-parser.js";
export { TarSplitReader, tarSplitRecords, tarSplitRecordsSync } from "./tar-split-reader.js";
export type { TarSplitRecord } from "./tar-split-record.js";
export { TarSplitWriter } from "./tar-split-writer.js";
export { type TarEntry, untar } from "./untar.js";
