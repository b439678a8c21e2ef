/**
 * The distribution protocol: what a registry has, fetched and verified, and what it should have, brought there. It
 * knows no store: bytes come in and go out as streams, manifests as they are. `Registries` holds what all requests
 * share (connections, whom to trust); a `Repository` is one name on one host, asked for with one set of credentials.
 *
 * @see OCI distribution-spec v1.1
 */
export { largestManifest } from "./limits.js";
export type { AbortOption, RegistriesOptions } from "./options.js";
export { type Login, Registries } from "./registries.js";
export {
  type BlobOptions,
  Repository,
  type RepositoryName,
  type Resolved,
  type Uploaded,
  type UploadOptions,
} from "./repository.js";
