import { type Image, resolveImage } from "../../image/index.js";
import { type ChainID, type HistoryEntry, nextChainID } from "../../spec/index.js";
import type { ImageHistoryItem } from "../api-image.js";
import { createdSeconds } from "./created.js";
import { namesOf } from "./names.js";
import type { ImageParts } from "./parts.js";

/** The steps of an image, newest first; those that are images here have their ids and tags. @throws NotFound */
export function imageHistory(parts: ImageParts, name: string): ImageHistoryItem[] {
  const { image } = resolveImage(parts.images, parts.references, name);
  const items = stepsOf(parts, image).reverse();
  let step: Image | undefined = image;
  return items.map((item) => {
    if (!step) return item;
    const tags = namesOf(parts.references.references(step.id)).RepoTags;
    const known = { ...item, Id: step.id, Tags: tags.length > 0 ? tags : null };
    step = step.parent && parts.images.find(step.parent);
    return known;
  });
}

/** Oldest first, as if none were an image here. */
function stepsOf({ layers }: ImageParts, { config }: Image): ImageHistoryItem[] {
  const diffIDs = [...config.rootfs.diff_ids];
  let below: ChainID | undefined;
  return (config.history ?? []).map((step) => {
    const diffID = step.empty_layer ? undefined : diffIDs.shift();
    if (diffID === undefined) return itemOf(step, 0);
    below = nextChainID(below, diffID);
    return itemOf(step, layers.find(below)?.diffSize ?? 0);
  });
}

function itemOf(step: HistoryEntry, size: number): ImageHistoryItem {
  return {
    Id: "<missing>",
    Created: createdSeconds(step),
    CreatedBy: step.created_by ?? "",
    Tags: null,
    Size: size,
    Comment: step.comment ?? "",
  };
}
