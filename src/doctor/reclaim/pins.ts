import { join } from "node:path";
import type { ImageConfig } from "../../spec/index.js";
import { readFact, textOf } from "../root/fact.js";

/** The label by which an image says of itself that it is to stay; any value but `false`. */
export const pinLabel = "layerkit.pin";

/** The file with what was pinned by hand: names of images and IDs, a JSON list. */
export function pinFile(images: string): string {
  return join(images, "layerkit-pins.json");
}

/** @param images `image/DRIVER`. What cannot be read throws: images would go that are pinned */
export function readPins(images: string): ReadonlySet<string> {
  const fact = readFact(pinFile(images));
  if (!fact) return new Set();
  const text = textOf(fact);
  const pins: unknown = text === undefined ? undefined : JSON.parse(text);
  if (Array.isArray(pins) && pins.every((pin) => typeof pin === "string")) return new Set(pins);
  throw new Error(`${pinFile(images)} is no list of names`);
}

/** @param names of the image, and its ID */
export function isPinned(
  pins: ReadonlySet<string>,
  names: readonly string[],
  config: ImageConfig | undefined,
): boolean {
  const label = config?.config?.Labels?.[pinLabel];
  return (label !== undefined && label !== "false") || names.some((name) => pins.has(name));
}
