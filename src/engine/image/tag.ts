import { type Image, resolveImage } from "../../image/index.js";
import { familiarString, parseReference, type Reference, withDefaultTag, withTag } from "../../spec/index.js";
import { told } from "./names.js";
import type { ImageParts } from "./parts.js";

/** @throws NotFound: no such image; InvalidParameter: no name that can be given */
export async function tagImage(parts: ImageParts, name: string, repo: string, tag?: string): Promise<void> {
  await parts.images.exclusive(async () => {
    const { image } = resolveImage(parts.images, parts.references, name);
    await giveTag(parts, image, newName(repo, tag));
  });
}

/** The name that `repo` and `tag` of a request mean; `repo` may hold a tag itself. @throws InvalidParameter */
export function newName(repo: string, tag?: string): Reference {
  const ref = parseReference(repo);
  return tag ? withTag(ref, tag) : withDefaultTag(ref);
}

async function giveTag(parts: ImageParts, image: Image, ref: Reference): Promise<void> {
  await parts.references.addTag(ref, image.id, { force: true });
  await parts.images.setTagged(image.id);
  told(parts, "tag", image, familiarString(ref));
}
