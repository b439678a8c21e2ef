import { type ImageID, imageIDOf, type Reference, Undo } from "../spec/index.js";
import type { Image } from "./image.js";
import type { ImageStore } from "./image-store.js";
import type { ReferenceStore } from "./reference-store.js";

export interface NewImage {
  /** Its layers must be there, and held by the caller. */
  readonly config: Uint8Array;
  /** Names it gets; each is taken from whichever image has it. */
  readonly tags?: readonly Reference[];
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
  { config, tags = [], parent, stamp }: NewImage,
): Promise<AddedImage> {
  return images.exclusive(async () => {
    await using undo = new Undo();
    const id = imageIDOf(config);
    const isNew = !images.find(id);
    await images.create(config);
    if (isNew) undo.defer(() => images.delete(id));
    const moved: { ref: Reference; from: ImageID }[] = [];
    for (const ref of tags) {
      const from = references.find(ref);
      await references.addTag(ref, id, { force: true });
      if (from === undefined) undo.defer(() => references.delete(ref));
      else undo.defer(() => references.addTag(ref, from, { force: true }));
      if (from !== undefined && from !== id) moved.push({ ref, from });
    }
    if (parent !== undefined) await images.setParent(id, parent);
    if (stamp && tags.length > 0) await images.setTagged(id);
    undo.done();
    return { image: images.get(id), moved };
  });
}
