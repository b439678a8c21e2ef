import type { LayerStore } from "../layer/index.js";
import { nowNs, type Platform, type Reference, type RunConfig, rfc3339 } from "../spec/index.js";
import { type AddedImage, addImage } from "./add-image.js";
import type { ImageStore } from "./image-store.js";
import { newImageConfig } from "./new-image-config.js";
import type { ReferenceStore } from "./reference-store.js";

export interface ImportOptions {
  readonly config: RunConfig;
  readonly platform: Platform;
  /** The image's comment and that of its only step. */
  readonly message: string;
  /** What the config names as the version of the engine. */
  readonly dockerVersion: string;
  /** Names it gets. */
  readonly tags: readonly Reference[];
  readonly signal?: AbortSignal;
}

/**
 * Makes an image of one layer from the tar of a root file system, plain or compressed. All or nothing.
 *
 * @throws InvalidParameter: no tar, or a hostile one
 */
export async function importArchive(
  body: AsyncIterable<Uint8Array>,
  targets: { readonly images: ImageStore; readonly references: ReferenceStore; readonly layers: LayerStore },
  { config, platform, message, dockerVersion, tags, signal }: ImportOptions,
): Promise<AddedImage> {
  const layer = await targets.layers.register(body, { label: "imported archive", ...(signal && { signal }) });
  try {
    const created = rfc3339(nowNs());
    const bytes = newImageConfig({
      architecture: platform.architecture,
      variant: platform.variant ?? "",
      os: platform.os,
      comment: message,
      config,
      created,
      dockerVersion,
      history: [{ created, comment: message }],
      diffIDs: [layer.diffID],
    });
    return await addImage(targets, { config: bytes, tags, stamp: true });
  } finally {
    await targets.layers.release(layer.chainID);
  }
}
