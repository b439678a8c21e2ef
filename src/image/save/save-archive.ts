import { tarOf } from "../../archive/index.js";
import type { LayerStore } from "../../layer/index.js";
import { type ChainID, type DiffID, type ImageID, sha256, Undo } from "../../spec/index.js";
import type { ImageStore } from "../image-store.js";
import { continues } from "../parents.js";
import type { ReferenceStore } from "../reference-store.js";
import {
  blobPath,
  dockerManifestOf,
  indexOf,
  layoutFile,
  manifestOf,
  repositoriesOf,
  type SavedImage,
} from "./documents.js";
import { type Selected, selected } from "./selection.js";

export interface SaveSources {
  readonly images: ImageStore;
  readonly references: ReferenceStore;
  readonly layers: LayerStore;
}

export interface Saved {
  readonly images: readonly ImageID[];
  /** The archive, lazily; a layer that many images have stands in it once. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Images as one archive: an OCI layout that is a docker archive too, as `docker save` writes it since 25, so that
 * Docker of any version and OCI tools take it. Layers are the very bytes that once came in. The same images under the
 * same names give the same bytes. Documents come first, then the layers of each image bottom first, so that a reader
 * of the stream knows what is to come.
 *
 * @param names see `selected`; none give an archive without images
 * @throws NotFound; at reading also DataLoss: a layer was changed on disk; the reason of `signal`
 */
export async function saveArchive(
  names: readonly string[],
  { images, references, layers }: SaveSources,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<Saved> {
  const chosen = selected(images, references, names);
  const chains = new Map(chosen.flatMap(({ image }) => chainsOf(layers, image.topLayer)));
  const sizes = new Map<DiffID, number>();
  // One after the other: several threads would be a moment sooner, and take the memory of as many.
  for (const [diffID, chainID] of chains) sizes.set(diffID, await layers.tarSize(chainID));
  const saved: SavedImage[] = [];
  for (const entry of chosen) saved.push(await savedImage(entry, chosen, images, sizes));
  const tops = chosen.flatMap(({ image }) => image.topLayer ?? []);
  const content = (diffID: DiffID) => layers.tar(chains.get(diffID)!, signal && { signal });
  return { images: saved.map(({ id }) => id), body: whileHeld(layers, tops, tarOf(membersOf(saved, content)), signal) };
}

/** Diff ids with a chain that has the layer on top, bottom first. */
function chainsOf(layers: LayerStore, top: ChainID | undefined): (readonly [DiffID, ChainID])[] {
  return top === undefined
    ? []
    : layers
        .chain(top)
        .map(({ diffID, chainID }) => [diffID, chainID] as const)
        .reverse();
}

async function savedImage(
  { image, tags }: Selected,
  chosen: readonly Selected[],
  images: ImageStore,
  sizes: ReadonlyMap<DiffID, number>,
): Promise<SavedImage> {
  const parent = chosen.find((other) => other.image.id === image.parent)?.image;
  return {
    id: image.id,
    config: await images.config(image.id),
    layers: image.config.rootfs.diff_ids.map((diffID) => ({ diffID, size: sizes.get(diffID)! })),
    tags,
    ...(parent && continues(parent.config, image.config) && { parent: parent.id }),
  };
}

const meta = { uid: 0, gid: 0, mtimeNs: 0n, xattrs: new Map<string, Uint8Array>() };

function* membersOf(images: readonly SavedImage[], content: (diffID: DiffID) => AsyncIterable<Uint8Array>) {
  const file = (path: string, text: string | Uint8Array) => {
    const bytes = Buffer.from(text);
    return { kind: "file", path, meta: { ...meta, mode: 0o644 }, size: bytes.length, body: [bytes] } as const;
  };
  const directory = (path: string) => ({ kind: "directory", path, meta: { ...meta, mode: 0o755 } }) as const;
  yield file("oci-layout", layoutFile);
  yield file("index.json", indexOf(images));
  yield file("manifest.json", dockerManifestOf(images));
  const repositories = repositoriesOf(images);
  if (repositories !== undefined) yield file("repositories", repositories);
  yield directory("blobs");
  yield directory("blobs/sha256");
  for (const image of images) {
    const manifest = manifestOf(image);
    yield file(blobPath(image.id), image.config);
    yield file(blobPath(sha256(manifest)), manifest);
  }
  const sizes = new Map(images.flatMap(({ layers }) => layers.map(({ diffID, size }) => [diffID, size])));
  for (const [diffID, size] of sizes) {
    const path = blobPath(diffID);
    yield { kind: "file", path, meta: { ...meta, mode: 0o644 }, size, body: content(diffID) } as const;
  }
}

/** Holds the chains from the first pull to the last, so that no removal takes away what is being read. */
async function* whileHeld(
  layers: LayerStore,
  tops: readonly ChainID[],
  bytes: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  await using held = new Undo();
  for (const top of tops) {
    layers.acquire(top);
    held.defer(() => layers.release(top));
  }
  for await (const chunk of bytes) {
    signal?.throwIfAborted();
    yield chunk;
  }
}
