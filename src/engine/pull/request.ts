import { parseDigest, parseReference, type Reference, withDefaultTag, withTag } from "../../spec/index.js";
import type { ProgressMessage } from "../api-image.js";
import type { ImageParts } from "../image/parts.js";
import { parsePlatform } from "../image/platform.js";
import type { PullOptions } from "../images.js";
import { pullImages } from "./pull.js";

/** @throws InvalidParameter: no name, tag or platform; else as `pullImages` */
export async function* pullByName(
  parts: ImageParts,
  name: string,
  { tag, all = false, platform, credentials, signal }: PullOptions = {},
): AsyncGenerator<ProgressMessage> {
  const ref = wanted(name, tag);
  yield* pullImages(parts, {
    ref: all ? ref : withDefaultTag(ref),
    ...(platform && { platform: parsePlatform(platform) }),
    ...(credentials && { credentials }),
    ...(signal && { signal }),
  });
}

/** A tag may be a digest; "pull -a" sends a name that ends in a colon. */
function wanted(name: string, tag: string | undefined): Reference {
  const ref = parseReference(name.replace(/:$/, ""));
  if (!tag) return ref;
  if (!/^sha256:/.test(tag)) return withTag(ref, tag);
  return { domain: ref.domain, path: ref.path, digest: parseDigest(tag) };
}
