import type { Image } from "../../image/index.js";
import { familiarString, type ImageID, type Reference } from "../../spec/index.js";
import type { ImageParts } from "./parts.js";

/** An image's names as API answers list them: with tag, and by digest. */
export function namesOf(references: readonly Reference[]): { RepoTags: string[]; RepoDigests: string[] } {
  return {
    RepoTags: references.filter(({ digest }) => digest === undefined).map(familiarString),
    RepoDigests: references.filter(({ digest }) => digest !== undefined).map(familiarString),
  };
}

/** Tells of an image; the event carries its labels and the name it is about. */
export function told(parts: ImageParts, action: string, image: Image, name: string = image.id): void {
  parts.emit(action, image.id, { ...image.config.config?.Labels, name });
}

/** The same of an image that may have been removed meanwhile. */
export function toldByID(parts: ImageParts, action: string, id: ImageID): void {
  const image = parts.images.find(id);
  if (image) told(parts, action, image);
  else parts.emit(action, id, { name: id });
}
