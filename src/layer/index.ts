/**
 * Layers by ChainID, in Docker's `image/DRIVER/layerdb` format: read-only ones are registered from a tar, referred to,
 * turned back into the tar they came from, and deleted with the last reference; writable ones are made upon them for
 * containers. Bytes become directories here: `archive` reads them, `driver` writes them, worker threads do both.
 */
export type { Adoptable } from "./adopt-layer.js";
export { type BareLayer, type BareTarget, rebuildBare, recordBare, unpackBare, verifyBare } from "./bare-layer.js";
export { fillInitLayer, initPaths } from "./init-layer.js";
export type * from "./layer.js";
export { LayerStore, type LayerStoreOptions, type RegisterOptions, type UnpackOptions } from "./layer-store.js";
export { type LayerRecord, layerFacts } from "./layerdb.js";
export type { LooseLayer } from "./loose-layer.js";
export { parseSplit } from "./parse-split.js";
export { maxLayers } from "./place.js";
export { readSplit } from "./rebuild.js";
export type { FillRW } from "./rw-entry.js";
export { type CreateRWOptions, RWLayers } from "./rw-layers.js";
