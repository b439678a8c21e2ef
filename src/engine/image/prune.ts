import type { Image } from "../../image/index.js";
import { Conflict, familiarString, NotFound } from "../../spec/index.js";
import type { ImageDeleteItem, ImagesPruned } from "../api-image.js";
import type { Filters } from "../api-system.js";
import { checkFilters, flagFilter, prunableByLabels } from "../filters.js";
import { parseTimestamp } from "../timestamp.js";
import { createdNs } from "./created.js";
import type { ImageParts } from "./parts.js";
import { removeNow } from "./remove.js";

/**
 * Removes images that have no tag, or with `dangling=false` all that no container uses; what is needed stays.
 *
 * @throws InvalidParameter: unknown filter or bad value
 */
export async function pruneImages(parts: ImageParts, filters: Filters = {}): Promise<ImagesPruned> {
  checkFilters(filters, ["dangling", "label", "label!", "until"]);
  const everything = flagFilter(filters, "dangling") === false;
  const until = (filters.until ?? []).map(parseTimestamp);
  const sizes = new Map<string, number>(parts.layers.list().map(({ chainID, diffSize }) => [chainID, diffSize]));
  const chosen = ({ config }: Image) =>
    until.every((limit) => createdNs(config) <= limit) && prunableByLabels(filters, config.config?.Labels);
  const deleted: ImageDeleteItem[] = [];
  await parts.images.exclusive(async () => {
    const names = parts.images
      .list()
      .filter(chosen)
      .flatMap((image) => namesToRemove(parts, image, everything));
    for (const name of names) deleted.push(...(await removedIfUnused(parts, name)));
    // What pulls that ended early had kept; as in Docker, layers are told of where they were an image's.
    const kept = await parts.pulls.kept.release();
    deleted.push(...kept.map(({ chainID }) => ({ Deleted: chainID })));
  });
  const reclaimed = deleted.reduce((sum, item) => sum + ("Deleted" in item ? (sizes.get(item.Deleted) ?? 0) : 0), 0);
  parts.emit("prune", "", { reclaimed: String(reclaimed) });
  return { ImagesDeleted: deleted, SpaceReclaimed: reclaimed };
}

function namesToRemove(parts: ImageParts, { id }: Image, everything: boolean): string[] {
  const hasChildren = parts.images.children(id).length > 0;
  const references = parts.references.references(id);
  if (references.length === 0) return hasChildren ? [] : [id];
  const tagged = references.some(({ digest }) => digest === undefined);
  return everything || (!tagged && !hasChildren) ? references.map(familiarString) : [];
}

/** An image that is needed, or went with another, is passed over. */
async function removedIfUnused(parts: ImageParts, name: string): Promise<ImageDeleteItem[]> {
  try {
    return await removeNow(parts, name);
  } catch (error) {
    if (error instanceof Conflict || error instanceof NotFound) return [];
    throw error;
  }
}
