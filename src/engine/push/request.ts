import { InvalidParameter, parseReference, withTag } from "../../spec/index.js";
import type { ProgressMessage } from "../api-image.js";
import type { ImageParts } from "../image/parts.js";
import type { PushOptions } from "../images.js";
import { pushImages } from "./push.js";

/** @throws InvalidParameter: no name or tag, or a digest; else as `pushImages` */
export async function* pushByName(
  parts: ImageParts,
  name: string,
  { tag, credentials, signal }: PushOptions = {},
): AsyncGenerator<ProgressMessage> {
  const ref = parseReference(name);
  if (ref.digest !== undefined) throw new InvalidParameter("cannot push a digest reference");
  yield* pushImages(parts, {
    ref: tag ? withTag(ref, tag) : ref,
    ...(credentials && { credentials }),
    ...(signal && { signal }),
  });
}
