import { isPinned, readPins, type Usage } from "../../doctor/index.js";
import type { Image, ImageStore, ReferenceStore } from "../../image/index.js";
import type { ImageID } from "../../spec/index.js";
import { Conflict, familiarString, NotFound, shortID } from "../../spec/index.js";
import type { Doctor } from "../doctor.js";
import type { Events } from "../events.js";
import type { ImageUser } from "../image/parts.js";
import type { Images } from "../images.js";
import { Excess } from "./excess.js";
import type { CheckedGC } from "./gc-settings.js";
import type { LastUse } from "./last-use.js";

export interface CollectParts {
  readonly images: Images;
  readonly imageStore: ImageStore;
  readonly references: ReferenceStore;
  readonly store: { usersOf(id: ImageID): readonly ImageUser[] };
  readonly doctor: Doctor;
  readonly events: Events;
  readonly lastUse: LastUse;
  /** `image/DRIVER` under the data root. */
  readonly imageRoot: string;
  /** Told one line for each image that goes. */
  readonly report: (line: string) => void;
}

/**
 * Removes what nobody uses until the root is below its limits: leftovers, then images that no container is made of and
 * that are not pinned, those without a tag first, of these and the others what was used least recently.
 *
 * @returns what it is beyond them still; undefined: it is below
 */
export async function collect(parts: CollectParts, limits: CheckedGC, nowMs = Date.now()): Promise<string | undefined> {
  let excess = new Excess(await parts.doctor.usage(), limits);
  if ((await excess.now()).bytes === 0) return undefined;
  await parts.doctor.reclaim();
  const usage = await parts.doctor.usage();
  excess = new Excess(usage, limits);
  const pins = readPins(parts.imageRoot);
  for (const { image, names, lastUsed } of candidates(parts, pins)) {
    const { bytes, why } = await excess.now();
    if (bytes === 0) return undefined;
    if (lastUsed > nowMs - limits.minAgeMs) continue;
    const freed = await removed(parts, image, names, usage);
    if (freed === undefined) continue;
    excess.freed(freed);
    const name = names[0] ?? shortID(image.id);
    const when = new Date(lastUsed).toISOString();
    parts.events.emit("image", "collect", image.id, { name, freed: String(freed), lastUsed: when });
    parts.report(`collected image ${name}, last used ${when}: ${freed} bytes freed, since ${why}`);
  }
  const { bytes, why } = await excess.now();
  return bytes === 0 ? undefined : why;
}

interface Candidate {
  readonly image: Image;
  readonly names: readonly string[];
  readonly lastUsed: number;
}

/** In the order in which they go. */
function candidates({ imageStore, references, store, lastUse }: CollectParts, pins: ReadonlySet<string>): Candidate[] {
  return imageStore
    .list()
    .map((image) => ({
      image,
      names: references.references(image.id).map(familiarString),
      lastUsed: lastUse.of(image),
    }))
    .filter(({ image, names }) => !isPinned(pins, [...names, image.id], image.config))
    .filter(({ image }) => store.usersOf(image.id).length === 0)
    .sort((a, b) => Number(isTagged(a)) - Number(isTagged(b)) || a.lastUsed - b.lastUsed);
}

function isTagged({ names }: Candidate): boolean {
  return names.some((name) => !name.includes("@"));
}

/** @returns bytes that went with it; undefined: it is needed after all */
async function removed(
  { images, imageStore, store }: CollectParts,
  { id }: Image,
  names: readonly string[],
  { Layers }: Usage,
): Promise<number | undefined> {
  const gone: string[] = [];
  try {
    for (const name of names.length > 0 ? names : [id]) {
      if (!imageStore.find(id)) break;
      if (store.usersOf(id).length > 0 || imageStore.children(id).length > 0) return undefined;
      const items = await images.remove(name);
      for (const item of items) if ("Deleted" in item) gone.push(item.Deleted);
    }
  } catch (error) {
    if (error instanceof Conflict || error instanceof NotFound) return undefined;
    throw error;
  }
  return Layers.filter(({ ChainID }) => gone.includes(ChainID)).reduce((sum, { Bytes }) => sum + Bytes, 0);
}
