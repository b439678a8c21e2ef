/**
 * The values all parts speak of: digests and what they name, descriptors, manifests and image configs, references,
 * paths, and the errors. No I/O; imports no other part.
 */
export * from "./credentials.js";
export * from "./descriptor.js";
export * from "./detach-keys.js";
export * from "./digest.js";
export * from "./errors.js";
export * from "./go-json.js";
export * from "./go-run-config.js";
export type * from "./host-config.js";
export * from "./id.js";
export * from "./image-config.js";
export * from "./manifest.js";
export * from "./parse-json.js";
export * from "./parse-size.js";
export * from "./parse-span.js";
export * from "./path.js";
export * from "./reference.js";
export * from "./reference-match.js";
export * from "./run-config.js";
export * from "./time.js";
export * from "./undo.js";
export * from "./verified.js";
