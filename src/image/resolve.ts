import {
  familiarString,
  type ImageID,
  NotFound,
  parseReference,
  type Reference,
  withDefaultTag,
} from "../spec/index.js";
import type { Image } from "./image.js";
import type { ImageStore } from "./image-store.js";
import type { ReferenceStore } from "./reference-store.js";

/** What a user's word for an image led to. */
export interface Resolved {
  readonly image: Image;
  /** The name that was given, `latest` filled in; absent when it was an id. */
  readonly ref?: Reference;
}

/**
 * The image a user means: `sha256:` and hex digits or bare 64 hex digits are an id; else a name is looked up, then the
 * text is tried as the beginning of an id.
 *
 * @throws NotFound "No such image: …"; InvalidParameter: neither a reference nor an id
 */
export function resolveImage(images: ImageStore, references: ReferenceStore, name: string): Resolved {
  const id = /^(?:sha256:)?([0-9a-f]{64})$/.exec(name)?.[1];
  if (id) return { image: images.get(`sha256:${id}` as ImageID) };
  const prefix = /^sha256:[0-9a-f]+$/.test(name) ? images.search(name) : undefined;
  if (prefix) return { image: prefix };
  const ref = withDefaultTag(parseReference(name));
  const found = references.find(ref);
  const named = found && images.find(found);
  if (named) return { image: named, ref };
  const byID = images.search(name);
  if (byID) return { image: byID };
  throw new NotFound(`No such image: ${familiarString(ref)}`);
}
