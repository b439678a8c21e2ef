import type { Layer } from "../../layer/index.js";
import type { ChainID } from "../../spec/index.js";
import type { ImageParts } from "./parts.js";

/** By image id, how many bytes of it lie in layers that other images have too. */
export function sharedSizes(parts: ImageParts): Map<string, number> {
  const all = chains(parts);
  const counts = new Map<ChainID, number>();
  for (const { chainID } of [...all.values()].flat()) counts.set(chainID, (counts.get(chainID) ?? 0) + 1);
  const shared = (chain: readonly Layer[]) => chain.filter(({ chainID }) => (counts.get(chainID) ?? 0) > 1);
  return new Map([...all].map(([id, chain]) => [id, bytesOf(shared(chain))]));
}

function chains({ images, layers }: ImageParts): Map<string, Layer[]> {
  const chainOf = (top: ChainID | undefined) => (top && layers.find(top) ? layers.chain(top) : []);
  return new Map(images.list().map(({ id, topLayer }) => [id, chainOf(topLayer)]));
}

function bytesOf(layers: readonly Layer[]): number {
  return layers.reduce((sum, { diffSize }) => sum + diffSize, 0);
}
