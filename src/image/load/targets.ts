import type { LayerStore } from "../../layer/index.js";
import type { DistributionCache } from "../distribution.js";
import type { ImageStore } from "../image-store.js";
import type { ReferenceStore } from "../reference-store.js";

/** Where a load puts what it takes in. */
export interface LoadTargets {
  readonly images: ImageStore;
  readonly references: ReferenceStore;
  readonly layers: LayerStore;
  /** What compressed layers are known to unpack to. */
  readonly distribution: DistributionCache;
  /** Absolute path of a directory for what is kept of the archive while it is read; it exists. */
  readonly tmp: string;
}
