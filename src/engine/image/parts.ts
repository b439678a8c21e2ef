import type { DistributionCache, ImageStore, ReferenceStore } from "../../image/index.js";
import type { LayerStore } from "../../layer/index.js";
import type { Registries } from "../../registry/index.js";
import type { ImageID } from "../../spec/index.js";
import type { BringParts } from "../pull/bring-layers.js";
import type { Pushes } from "../push/open-pushes.js";

/** What operations on images work with. */
export interface ImageParts {
  readonly images: ImageStore;
  readonly references: ReferenceStore;
  readonly layers: LayerStore;
  /** In which compressed form layers came from registries, and went there. */
  readonly distribution: DistributionCache;
  readonly registries: Registries;
  /** Pulls that are under way, and what is left of those that ended early. */
  readonly pulls: BringParts;
  readonly pushes: Pushes;
  /** Name of the storage driver. */
  readonly driver: string;
  /** Absolute path of the data root's `tmp`: archives are kept there while they are read. It exists. */
  readonly tmp: string;
  /** The containers made of an image, in any state. */
  readonly usersOf: (id: ImageID) => readonly ImageUser[];
  /** Tells that something happened to an image: `tag`, `untag`, `delete`, `load`, `import`, `pull`, `push`, `save`, `prune`. */
  readonly emit: (action: string, id: string, attributes: Readonly<Record<string, string>>) => void;
}

/** A container that needs an image. */
export interface ImageUser {
  readonly id: string;
  readonly running: boolean;
}
