import { type Image, resolveImage } from "../../image/index.js";
import { type ChainID, matchesReference, type Reference } from "../../spec/index.js";
import type { ImageSummary } from "../api-image.js";
import type { Filters } from "../api-system.js";
import { checkFilters, flagFilter, matchesLabels } from "../filters.js";
import type { ImageListOptions } from "../images.js";
import { parseTimestamp } from "../timestamp.js";
import { createdNs, createdSeconds } from "./created.js";
import { namesOf } from "./names.js";
import type { ImageParts } from "./parts.js";
import { sharedSizes } from "./shared-size.js";

const known = ["dangling", "label", "before", "since", "reference", "until"];

/** Images as `docker images` lists them, newest first. @throws InvalidParameter; NotFound: image of before or since */
export function listImages(parts: ImageParts, options: ImageListOptions = {}): ImageSummary[] {
  const { filters = {}, all = false, sharedSize = false } = options;
  checkFilters(filters, known);
  const passes = madeInTime(parts, filters);
  const dangling = flagFilter(filters, "dangling");
  const parents = new Set(parts.images.list().map(({ parent }) => parent));
  const chosen = (image: Image) => passes(image) && matchesLabels(filters, image.config.config?.Labels);
  const listed = parts.images
    .list()
    .filter(chosen)
    .flatMap((image) => {
      const references = parts.references.references(image.id).filter((ref) => wanted(filters, ref));
      const choice = { all, dangling, filters, isParent: parents.has(image.id) };
      return shown(references, choice) ? [summary(parts, image, references)] : [];
    });
  if (sharedSize) withSharedSizes(parts, listed);
  return listed.sort((a, b) => b.Created - a.Created);
}

/** Whether an image was made when `before`, `since` and `until` want it. */
function madeInTime(parts: ImageParts, filters: Filters): (image: Image) => boolean {
  const madeBy = (name: string) => createdNs(resolveImage(parts.images, parts.references, name).image.config);
  const before = (filters.before ?? []).map(madeBy);
  const since = (filters.since ?? []).map(madeBy);
  const until = (filters.until ?? []).map(parseTimestamp);
  return ({ config }) => {
    const made = createdNs(config);
    const early = [...before, ...until].every((limit) => made < limit);
    return early && since.every((limit) => made > limit);
  };
}

function wanted({ reference: patterns }: Filters, ref: Reference): boolean {
  return !patterns?.length || patterns.some((pattern) => matchesReference(pattern, ref));
}

interface Choice {
  readonly all: boolean;
  readonly dangling: boolean | undefined;
  readonly filters: Filters;
  readonly isParent: boolean;
}

/** Nameless images are shown as `<none>`, but not where names are asked for, nor as parents of others unless `all`. */
function shown(references: readonly Reference[], choice: Choice): boolean {
  if (choice.dangling === true && choice.isParent) return false;
  if (references.length > 0) return choice.dangling !== true || references.every(({ digest }) => digest !== undefined);
  if (choice.dangling === false || choice.filters.reference?.length) return false;
  return choice.all || !choice.isParent;
}

function summary(parts: ImageParts, image: Image, references: readonly Reference[]): ImageSummary {
  const size = sizeOf(parts, image.topLayer);
  return {
    Id: image.id,
    ParentId: image.parent ?? "",
    ...namesOf(references),
    Created: createdSeconds(image.config),
    Size: size,
    VirtualSize: size,
    SharedSize: -1,
    Containers: -1,
    Labels: image.config.config?.Labels ?? null,
  };
}

/** Bytes of all layers; 0 for none. */
export function sizeOf({ layers }: ImageParts, top: ChainID | undefined): number {
  return (top && layers.find(top)?.size) ?? 0;
}

function withSharedSizes(parts: ImageParts, listed: readonly ImageSummary[]): void {
  const shared = sharedSizes(parts);
  for (const item of listed) item.SharedSize = shared.get(item.Id) ?? 0;
}
