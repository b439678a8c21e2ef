/** Bytes that a config, manifest, index or other JSON document may have at most; real ones have some kilobytes. */
export const maxDocument = 16 * 1024 * 1024;

/** Bytes of JSON that one archive may make us read, all its documents together. */
export const maxDocuments = 64 * 1024 * 1024;

/** Images that one archive may hold, and names it may give, each. */
export const maxImages = 10_000;
