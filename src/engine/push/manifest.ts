import { type Descriptor, mediaTypes } from "../../spec/index.js";

/**
 * A schema 2 manifest in the very bytes that dockerd writes: the same image pushed by both has one digest.
 *
 * @param layers bottom first
 */
export function manifestBytes(config: Descriptor, layers: readonly Descriptor[]): Buffer {
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.dockerManifest,
    config: ordered(config),
    layers: layers.map(ordered),
  };
  return Buffer.from(JSON.stringify(manifest, null, 3));
}

function ordered({ mediaType, size, digest }: Descriptor): Descriptor {
  return { mediaType, size, digest };
}
