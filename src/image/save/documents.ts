import {
  type DiffID,
  type Digest,
  familiarName,
  familiarString,
  goJSON,
  goJSONSorted,
  hexOf,
  type ImageID,
  mediaTypes,
  type Reference,
  sha256,
} from "../../spec/index.js";

/** An image, as the documents of an archive speak of it. */
export interface SavedImage {
  readonly id: ImageID;
  /** The config's bytes. */
  readonly config: Uint8Array;
  /** Bottom first. */
  readonly layers: readonly { readonly diffID: DiffID; readonly size: number }[];
  /** Each with a tag. */
  readonly tags: readonly Reference[];
  /** Another image of the archive. */
  readonly parent?: ImageID;
}

/** Where a blob stands in an OCI layout. */
export function blobPath(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

export const layoutFile = '{"imageLayoutVersion": "1.0.0"}';

/** The OCI manifest of an image; its layers are plain tars, so that their digests are the diff ids. */
export function manifestOf({ id, config, layers }: SavedImage): Buffer {
  return Buffer.from(
    goJSON({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, digest: id, size: config.length },
      layers: layers.map(({ diffID, size }) => ({ mediaType: mediaTypes.ociLayer, digest: diffID, size })),
    }),
  );
}

/** `index.json`: a descriptor for each tag; an image without any has one without name. */
export function indexOf(images: readonly SavedImage[]): string {
  const manifests = images.flatMap((image) => {
    const bytes = manifestOf(image);
    const descriptor = { mediaType: mediaTypes.ociManifest, digest: sha256(bytes), size: bytes.length };
    return image.tags.length === 0
      ? [descriptor]
      : image.tags.map((ref) => ({ ...descriptor, annotations: named(ref) }));
  });
  return goJSON({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
}

function named({ domain, path, tag }: Reference): object {
  return {
    "io.containerd.image.name": `${domain}/${path}:${tag}`,
    "org.opencontainers.image.ref.name": tag,
  };
}

/** `manifest.json`, which Docker of any version reads. */
export function dockerManifestOf(images: readonly SavedImage[]): string {
  const items = images.map(({ id, tags, layers, parent }) => ({
    Config: blobPath(id),
    RepoTags: tags.length > 0 ? tags.map(familiarString) : null,
    Layers: layers.map(({ diffID }) => blobPath(diffID)),
    Parent: parent,
  }));
  return `${goJSON(items.length > 0 ? items : null)}\n`;
}

/** `repositories`, by which the oldest readers find the top layers; undefined when no image has a name. */
export function repositoriesOf(images: readonly SavedImage[]): string | undefined {
  const repositories = new Map<string, Map<string, string>>();
  for (const { tags, layers } of images) {
    const top = layers.at(-1);
    if (!top) continue;
    for (const ref of tags) {
      const name = familiarName(ref);
      repositories.set(name, (repositories.get(name) ?? new Map()).set(ref.tag, hexOf(top.diffID)));
    }
  }
  return repositories.size > 0 ? `${goJSONSorted(repositories)}\n` : undefined;
}
