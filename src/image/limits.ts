/** Bytes that a config, manifest, index or other JSON document may have at most; real ones have some kilobytes. */
export const maxDocument = 16 * 1024 * 1024;
