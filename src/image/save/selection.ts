import { familiarString, NotFound, parseReference, type Reference } from "../../spec/index.js";
import type { Image } from "../image.js";
import type { ImageStore } from "../image-store.js";
import type { ReferenceStore } from "../reference-store.js";
import { resolveImage } from "../resolve.js";

/** An image to be saved, and the names it takes with it, each with a tag. */
export interface Selected {
  readonly image: Image;
  readonly tags: readonly Reference[];
}

/**
 * What users mean by the names of a save: `NAME:TAG` that tag alone, a bare `NAME` all tags of the repository, an id
 * or digest the image without any name. Each image once, in the order of first mention.
 *
 * @throws NotFound; InvalidParameter: no reference
 */
export function selected(images: ImageStore, references: ReferenceStore, names: readonly string[]): Selected[] {
  const chosen = new Map<string, { image: Image; tags: Map<string, Reference> }>();
  const add = (image: Image, ref?: Reference) => {
    const entry = chosen.get(image.id) ?? { image, tags: new Map<string, Reference>() };
    chosen.set(image.id, entry);
    if (ref?.tag !== undefined && ref.digest === undefined) entry.tags.set(familiarString(ref), ref);
  };
  for (const name of names) {
    const repository = repositoryNamed(references, name);
    for (const { ref, id } of repository) {
      const image = images.find(id);
      if (image) add(image, ref);
      else throw new NotFound(`No such image: ${familiarString(ref)}`);
    }
    if (repository.length > 0) continue;
    const { image, ref } = resolveImage(images, references, name);
    add(image, ref);
  }
  return [...chosen.values()].map(({ image, tags }) => ({ image, tags: [...tags.values()] }));
}

/** The references of a repository that is named without tag and digest; none when it is something else. */
function repositoryNamed(references: ReferenceStore, name: string) {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(name) || name.startsWith("sha256:")) return [];
  const ref = parseReference(name);
  return ref.tag === undefined && ref.digest === undefined ? references.inRepository(ref) : [];
}
