/** Bytes of the largest manifest that is read, as in dockerd and the registries. */
export const largestManifest = 4 * 1024 * 1024;
