import { type ImageID, imageIDOf, type Reference, Undo } from "../spec/index.js";
import type { Image } from "./image.js";
import type { ImageStore } from "./image-store.js";
import type { ReferenceStore } from "./reference-store.js";

export interface NewImage {
  /** Its layers must be there, and held by the caller. */
  readonly config: Uint8Array;
  /** Names it gets; each is taken from whichever image has it. */
  readonly tags?: readonly Reference[];
  /** Under which digests it came; one that names another image goes on doing so. */
  readonly digests?: readonly Reference[];
  /** The image it was made upon. */
  readonly parent?: ImageID;
  /** Its tags are given now, by a user: recorded as the time of its last tag. A load does not do that. */
  readonly stamp?: boolean;
}

export interface AddedImage {
  readonly image: Image;
  /** Names that another image had. */
  readonly moved: readonly { readonly ref: Reference; readonly from: ImageID }[];
}

/**
 * Puts an image into the stores with all its names, or nothing of it. No other change that spans both stores runs
 * meanwhile.
 *
 * @throws as `ImageStore.create` and `ReferenceStore.addTag`
 */
export async function addImage(
  { images, references }: { readonly images: ImageStore; readonly references: ReferenceStore },
  { config, tags = [], digests = [], parent, stamp }: NewImage,
): Promise<AddedImage> {
  return images.exclusive(async () => {
    await using undo = new Undo();
    const id = imageIDOf(config);
    const before = images.find(id);
    await images.create(config);
    if (!before) undo.defer(() => images.delete(id));
    if (parent !== undefined) await images.setParent(id, parent);
    if (before && parent !== undefined) undo.defer(() => images.setParent(id, stillThere(images, before.parent)));
    if (stamp && tags.length > 0) await images.setTagged(id);
    // One step, and the last: the names are there all together or not at all.
    const moved = await references.addTags(tags, id, digests);
    undo.done();
    return { image: images.get(id), moved: moved.map(({ ref, id: from }) => ({ ref, from })) };
  });
}

function stillThere(images: ImageStore, id: ImageID | undefined): ImageID | undefined {
  return id && images.find(id)?.id;
}
