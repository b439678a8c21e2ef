import {
  importArchive,
  type LoadEvent,
  loadArchive,
  platformText,
  saveArchive,
  thisPlatform,
} from "../../image/index.js";
import { familiarString, InvalidParameter, type Platform } from "../../spec/index.js";
import type { ProgressMessage } from "../api-image.js";
import { applyChanges } from "../dockerfile/apply-changes.js";
import type { AbortOption, ImportOptions, LoadOptions } from "../images.js";
import { productVersion } from "../product.js";
import { told, toldByID } from "./names.js";
import type { ImageParts } from "./parts.js";
import { parsePlatform } from "./platform.js";
import { newName } from "./tag.js";

export async function* loadImages(
  parts: ImageParts,
  archive: AsyncIterable<Uint8Array>,
  { quiet = false, signal }: LoadOptions = {},
): AsyncGenerator<ProgressMessage> {
  for await (const event of loadArchive(archive, parts, signal && { signal })) {
    if (event.kind === "loaded") toldByID(parts, "load", event.id);
    if (!quiet || event.kind !== "layer") yield* messagesOf(event);
  }
}

function messagesOf(event: LoadEvent): ProgressMessage[] {
  if (event.kind === "layer") {
    const { id, current, total } = event;
    return [{ status: "Loading layer", progressDetail: { current, total }, id }];
  }
  if (event.kind === "moved") {
    const name = familiarString(event.ref);
    return [
      { stream: `The image ${name} already exists, renaming the old one with ID ${event.from} to empty string\n` },
    ];
  }
  if (event.refs.length === 0) return [{ stream: `Loaded image ID: ${event.id}\n` }];
  return event.refs.map((ref) => ({ stream: `Loaded image: ${familiarString(ref)}\n` }));
}

export async function saveImages(
  parts: ImageParts,
  names: readonly string[],
  { signal }: AbortOption = {},
): Promise<AsyncIterable<Uint8Array>> {
  const { images, body } = await saveArchive(names, parts, signal && { signal });
  for (const id of images) toldByID(parts, "save", id);
  return body;
}

export async function* importImage(
  parts: ImageParts,
  archive: AsyncIterable<Uint8Array>,
  options: ImportOptions = {},
): AsyncGenerator<ProgressMessage> {
  const { repo, tag, message, changes = [], platform, signal } = options;
  const ref = repo ? newName(repo, tag) : undefined;
  if (ref?.digest !== undefined) throw new InvalidParameter("cannot import digest reference");
  const { image } = await importArchive(archive, parts, {
    config: applyChanges({}, changes),
    platform: platformOf(platform),
    message: message || "Imported from -",
    dockerVersion: productVersion,
    tags: ref ? [ref] : [],
    ...(signal && { signal }),
  });
  if (ref) told(parts, "tag", image, familiarString(ref));
  told(parts, "import", image);
  yield { status: image.id };
}

/** @throws InvalidParameter: no platform, or one whose images have no place here */
function platformOf(text: string | undefined): Platform {
  const platform = text ? parsePlatform(text) : thisPlatform;
  if (platform.os === thisPlatform.os) return platform;
  throw new InvalidParameter(`operating system is not supported: ${text} (this is ${platformText(thisPlatform)})`);
}
