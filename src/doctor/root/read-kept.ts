import { join } from "node:path";
import { readFact, textOf } from "./fact.js";

/** ChainIDs of layers that an interrupted pull had brought and the next one needs. @see docs/on-disk.md */
export function readKept(images: string): Set<string> {
  const text = textOf(readFact(keptFile(images))) ?? "";
  return new Set(text.match(/sha256:[0-9a-f]{64}/g));
}

/** @param images `image/DRIVER` */
export function keptFile(images: string): string {
  return join(images, "layerkit-kept.json");
}
