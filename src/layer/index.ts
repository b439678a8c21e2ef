/**
 * Layers by ChainID, in Docker's `image/DRIVER/layerdb` format: read-only ones are registered from a tar, referred to,
 * turned back into the tar they came from, and deleted with the last reference; writable ones are made upon them for
 * containers. Bytes become directories here: `archive` reads them, `driver` writes them, worker threads do both.
 *
 * What such threads are made of (`WorkerPool`, `Feed` and `Inbox` for streams between threads) serves `engine` too.
 */
export { Feed, type FeedMessage } from "./feed.js";
export { Inbox, type Used } from "./inbox.js";
export type * from "./layer.js";
export { LayerStore, type LayerStoreOptions, type RegisterOptions } from "./layer-store.js";
export { type CreateRWOptions, RWLayers } from "./rw-layers.js";
export { maxLayers } from "./staging.js";
export { labelled, packError } from "./wire-error.js";
export { type Running, type Stop, type Task, WorkerPool } from "./worker-pool.js";
