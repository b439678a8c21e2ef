import { type ImageStore, type ReferenceStore, resolveImage } from "../image/index.js";
import type { LayerStore } from "../layer/index.js";
import { type ChainID, parseDigest } from "../spec/index.js";
import type { Layers } from "./layers.js";

export interface LayerParts {
  readonly layers: LayerStore;
  readonly imageStore: ImageStore;
  readonly references: ReferenceStore;
}

/** Operations on the layers of one data root. */
export function layerOperations({ layers, imageStore, references }: LayerParts): Layers {
  const id = (text: string) => parseDigest<ChainID>(text);
  return {
    list: () => layers.list().sort((a, b) => a.depth - b.depth),
    ofImage: (name) => {
      const { topLayer } = resolveImage(imageStore, references, name).image;
      return topLayer ? layers.chain(topLayer) : [];
    },
    inspect: (chainID) => layers.get(id(chainID)),
    directories: async (chainID) => layers.metadata(id(chainID)),
    inodes: async (chainID) => {
      const { overlay2, overlay } = await layers.inodes(id(chainID));
      return { overlay2, overlay };
    },
    tar: (chainID, { signal } = {}) => layers.tar(id(chainID), { ...(signal && { signal }) }),
    mount: async (chainID) => layers.mount(id(chainID)),
  };
}
