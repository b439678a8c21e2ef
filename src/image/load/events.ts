import type { ImageID, Reference } from "../../spec/index.js";

/** What a load tells while it goes on. */
export type LoadEvent =
  /** A layer new to the store is being unpacked; counts in bytes of the archive. */
  | { readonly kind: "layer"; readonly id: string; readonly current: number; readonly total: number }
  /** A name now means the loaded image; the other image keeps only its other names. */
  | { readonly kind: "moved"; readonly ref: Reference; readonly from: ImageID }
  /** An image is there, durably, with these names. */
  | { readonly kind: "loaded"; readonly id: ImageID; readonly refs: readonly Reference[] };
