import { createHash } from "node:crypto";
import { type RawEntry, rawTar } from "./raw-tar.js";

/** What can be wrong with an image archive around its layers. */
export interface RawImage {
  readonly tag?: string;
  /** Layer tars, bottom first, as they stand in the archive. */
  readonly layers: readonly Buffer[];
  /** In place of the digests of `layers`. */
  readonly diffIDs?: readonly string[];
  /** In place of what would be right. */
  readonly manifest?: string;
  readonly config?: string;
  /** Numbers of layers whose files are left out. */
  readonly without?: readonly number[];
}

/** A docker archive; layer `n`, counted from 1, is `layer-n.tar`. */
export function rawImage({ layers, tag = "bad:1", diffIDs, manifest, config, without = [] }: RawImage): Buffer {
  const rootfs = { type: "layers", diff_ids: diffIDs ?? layers.map(digestOf) };
  const image = config ?? JSON.stringify({ architecture: "amd64", os: "linux", config: {}, rootfs });
  const names = layers.map((_, i) => `layer-${i + 1}.tar`);
  const item = { Config: "config.json", RepoTags: [tag], Layers: names };
  const entries: RawEntry[] = layers.map((layer, i) => ({ name: names[i] as string, content: layer }));
  return rawTar([
    ...entries.filter((_, i) => !without.includes(i + 1)),
    { name: "config.json", content: image },
    { name: "manifest.json", content: manifest ?? JSON.stringify([item]) },
  ]);
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
