/**
 * Images by ImageID, in Docker's `image/DRIVER` format: configs and what is known beside them (`ImageStore`), names
 * (`ReferenceStore`), and archives that carry whole images, in (`loadArchive`, `importArchive`) and out
 * (`saveArchive`). An image holds its top layer in the layer store; the layers' bytes stay there.
 */
export { type AddedImage, addImage, type NewImage } from "./add-image.js";
export { type BlobSource, DistributionCache } from "./distribution.js";
export { type Image, topLayerOf } from "./image.js";
export { ImageStore, type ImageStoreOptions } from "./image-store.js";
export { type ImportOptions, importArchive } from "./import-archive.js";
export { maxDocument } from "./limits.js";
export type { LoadEvent } from "./load/events.js";
export { loadArchive } from "./load/load-archive.js";
export { type ArchiveContents, type OpenArchiveOptions, openArchive } from "./load/open-archive.js";
export { forThisPlatform, platformText, runsOn, thisPlatform } from "./load/platform.js";
export { relay } from "./load/relay.js";
export type { LoadTargets } from "./load/targets.js";
export { type NewImageConfig, newImageConfig } from "./new-image-config.js";
export { type Association, ReferenceStore } from "./reference-store.js";
export { type Resolved, resolveImage } from "./resolve.js";
export { type Saved, type SaveSources, saveArchive } from "./save/save-archive.js";
