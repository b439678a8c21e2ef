import { goJSON, hexOf, mediaTypes, sha256 } from "../../src/spec/index.js";
import { configOf } from "./image-stores.js";
import { type RawEntry, rawTar } from "./raw-tar.js";

/** An image to be put into archives. */
export interface Sample {
  /** Bottom first. */
  readonly layers: readonly Buffer[];
  readonly tags?: readonly string[];
  /** In place of the right one. */
  readonly config?: Buffer;
  readonly parent?: string;
}

const file = (name: string, content: string | Buffer): RawEntry => ({ name, content, mode: 0o644 });
const json = (name: string, value: unknown) => file(name, goJSON(value));
const configFor = ({ config, layers }: Sample) => config ?? configOf(layers);

/** As dockerd 20.10 saves: a directory a layer, a symlink where an image before has the same one. */
export function dockerArchive(images: readonly Sample[], more: readonly RawEntry[] = []): Buffer {
  const entries: RawEntry[] = [];
  const written = new Map<string, string>();
  const manifest = images.map((image, n) => {
    const Layers = image.layers.map((layer, at) => {
      const id = hexOf(sha256(`${n} ${at}`));
      const same = written.get(sha256(layer));
      written.set(sha256(layer), id);
      entries.push({ name: `${id}/`, type: "5" }, file(`${id}/VERSION`, "1.0"), json(`${id}/json`, { id }));
      if (same) entries.push({ name: `${id}/layer.tar`, type: "2", linkname: `../${same}/layer.tar` });
      else entries.push(file(`${id}/layer.tar`, layer));
      return `${id}/layer.tar`;
    });
    const Config = `${hexOf(sha256(configFor(image)))}.json`;
    entries.push(file(Config, configFor(image)));
    return { Config, RepoTags: image.tags ?? null, Layers, Parent: image.parent };
  });
  return rawTar([...entries, json("manifest.json", manifest), ...more]);
}

/** A docker archive with this manifest and these files. */
export function withManifest(manifest: unknown, files: Readonly<Record<string, string | Buffer>>): Buffer {
  const text = typeof manifest === "string" ? manifest : goJSON(manifest);
  return rawTar([...Object.entries(files).map(([name, content]) => file(name, content)), file("manifest.json", text)]);
}

/** The blobs of an OCI layout, by their digests. */
export class Blobs {
  readonly entries: RawEntry[] = [];

  /** @returns a descriptor */
  add(content: string | Buffer, mediaType: string, more: object = {}) {
    const digest = sha256(content);
    this.entries.push(file(`blobs/sha256/${hexOf(digest)}`, content));
    return { mediaType, digest, size: Buffer.byteLength(content), ...more };
  }

  /** A manifest of these layers. @param packed the layers as they are stored, when not plain */
  manifest({ layers, config }: Sample, packed: readonly Buffer[] = layers, more: object = {}) {
    const types = packed.map((bytes) =>
      bytes[0] === 0x1f ? mediaTypes.ociLayerGzip : bytes[0] === 0x28 ? mediaTypes.ociLayerZstd : mediaTypes.ociLayer,
    );
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: this.add(configFor({ layers, ...(config && { config }) }), mediaTypes.ociConfig),
      layers: packed.map((bytes, at) => this.add(bytes, types[at] ?? "")),
    };
    return this.add(goJSON(manifest), mediaTypes.ociManifest, more);
  }

  index(manifests: readonly object[], more: object = {}) {
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
    return this.add(goJSON(index), mediaTypes.ociIndex, more);
  }

  /** The whole layout, with these descriptors in `index.json`. */
  layout(manifests: unknown, version: unknown = "1.0.0"): Buffer {
    return rawTar([
      json("oci-layout", { imageLayoutVersion: version }),
      json("index.json", { schemaVersion: 2, manifests }),
      ...this.entries,
    ]);
  }
}

export const refName = (name: string) => ({ annotations: { "org.opencontainers.image.ref.name": name } });
export const platform = (architecture: string, variant?: string, os = "linux") => ({
  platform: { architecture, os, variant },
});
