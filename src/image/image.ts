import { type ChainID, chainID, type ImageConfig, type ImageID } from "../spec/index.js";

/** An image as it was when asked for; a later change makes a new value. */
export interface Image {
  readonly id: ImageID;
  readonly config: ImageConfig;
  /** Its whole stack of layers; absent when it has none. */
  readonly topLayer?: ChainID;
  /** The image it was built, committed or loaded upon, where that is recorded. It may be gone. */
  readonly parent?: ImageID;
  /** When it last got a tag, RFC 3339; absent when never. */
  readonly lastTagged?: string;
}

/** The chain of all layers of a config; undefined when it has none. */
export function topLayerOf(config: ImageConfig): ChainID | undefined {
  const [bottom, ...rest] = config.rootfs.diff_ids;
  return bottom && chainID([bottom, ...rest]);
}
