/**
 * The distribution protocol: what a registry has, fetched and verified, and what it should have, brought there. It
 * knows no store: bytes come in and go out as streams, manifests as they are. `Registries` holds what all requests
 * share (connections, whom to trust); a `Repository` is one name on one host, asked for with one set of credentials.
 *
 * @see OCI distribution-spec v1.1
 */
export { largestManifest } from "./limits.js";
export type { Login } from "./login.js";
export type { Resolved } from "./manifest.js";
export { BadMirror, pastBadMirrors } from "./mirrored.js";
export type { AbortOption, BlobOptions, RegistriesOptions } from "./options.js";
export { Passing } from "./passing.js";
export { Registries } from "./registries.js";
export { Repository, type RepositoryName, type Uploaded, type UploadOptions } from "./repository.js";
export type { Time } from "./time.js";
