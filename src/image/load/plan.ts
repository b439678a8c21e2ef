import { maxLayers } from "../../layer/index.js";
import {
  type Descriptor,
  type ImageConfig,
  type ImageID,
  InvalidParameter,
  imageIDOf,
  parseImageConfig,
  type Reference,
} from "../../spec/index.js";
import type { ArchiveFile } from "./archive.js";

/** An image as an archive offers it, everything but the layers' content read and checked. */
export interface ImagePlan {
  readonly id: ImageID;
  /** As it is in the archive. */
  readonly bytes: Uint8Array;
  readonly config: ImageConfig;
  /** Bottom first, one for each diff id of the config. */
  readonly layers: readonly LayerSource[];
  /** Each has a tag and no digest. */
  readonly tags: readonly Reference[];
  /** Another image of the same archive. */
  readonly parent?: ImageID;
}

/** Where a layer is to be had, should it be needed. */
export interface LayerSource {
  /** How errors name it. */
  readonly label: string;
  /** @throws InvalidParameter: the archive has no such file */
  find(): ArchiveFile;
  /** What the file has to be. */
  readonly blob?: Descriptor;
}

/**
 * @throws InvalidParameter: no usable config, another operating system, other than one layer for each diff id, more
 * layers than can be mounted
 */
export function planOf(bytes: Uint8Array, layers: readonly LayerSource[], tags: readonly Reference[]): ImagePlan {
  const config = parseImageConfig(bytes);
  checkOS(config.os);
  const diffIDs = config.rootfs.diff_ids.length;
  if (layers.length !== diffIDs) {
    throw new InvalidParameter(
      `invalid manifest, layers length mismatch: expected ${layers.length}, got ${diffIDs} (image ${imageIDOf(bytes)})`,
    );
  }
  if (diffIDs > maxLayers) {
    throw new InvalidParameter(
      `max depth exceeded: a chain has at most ${maxLayers} layers, image ${imageIDOf(bytes)} has ${diffIDs}`,
    );
  }
  return { id: imageIDOf(bytes), bytes, config, layers, tags };
}

/** @throws InvalidParameter: an image for another operating system */
export function checkOS(os: string | undefined): void {
  if (os && os.toLowerCase() !== "linux") throw new InvalidParameter(`cannot load ${os} image on linux`);
}
