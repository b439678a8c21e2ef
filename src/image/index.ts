/**
 * Images by ImageID, in Docker's `image/DRIVER` format: configs and what is known beside them (`ImageStore`), names
 * (`ReferenceStore`), and archives that carry whole images, in (`loadArchive`, `importArchive`) and out
 * (`saveArchive`). An image holds its top layer in the layer store; the layers' bytes stay there.
 */
export { type Image, topLayerOf } from "./image.js";
export { ImageStore, type ImageStoreOptions } from "./image-store.js";
export { type NewImageConfig, newImageConfig } from "./new-image-config.js";
export { type Association, ReferenceStore } from "./reference-store.js";
export { type Resolved, resolveImage } from "./resolve.js";
