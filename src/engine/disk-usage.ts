import type { Usage } from "../doctor/index.js";
import type { ContainerSummary } from "./api-container.js";
import type { ImageSummary } from "./api-image.js";
import type { DiskUsage, Volume } from "./api-system.js";

/** What is there, without sizes. */
export interface Listed {
  readonly images: readonly ImageSummary[];
  readonly containers: readonly ContainerSummary[];
  readonly volumes: readonly Volume[];
}

/** Docker's form of a root's usage: sizes are what is taken on disk. What has come since it was measured has none. */
export function diskUsageOf(usage: Usage, { images, containers, volumes }: Listed): DiskUsage {
  const [imageOf, containerOf] = [by(usage.Images, ({ Id }) => Id), by(usage.Containers, ({ Id }) => Id)];
  const volumeOf = by(usage.Volumes, ({ Name }) => Name);
  return {
    LayersSize: usage.Kinds.find(({ Kind }) => Kind === "images")?.Bytes ?? 0,
    Images: images.map((image) => {
      const { Bytes = 0, Shared, Containers = 0 } = imageOf.get(image.Id) ?? {};
      return { ...image, Size: Bytes, VirtualSize: Bytes, SharedSize: Shared?.Bytes ?? 0, Containers };
    }),
    Containers: containers.map((container) => {
      const { Bytes = 0, Shared } = containerOf.get(container.Id) ?? {};
      return { ...container, SizeRw: Bytes, SizeRootFs: Bytes + (Shared?.Bytes ?? 0) };
    }),
    Volumes: volumes.map((volume) => {
      const { Users = 0, Bytes = 0 } = volumeOf.get(volume.Name) ?? {};
      // What has to be mounted before use is not on this disk.
      return { ...volume, UsageData: { RefCount: Users, Size: volume.Options ? -1 : Bytes } };
    }),
    BuildCache: [],
    BuilderSize: 0,
  };
}

function by<T>(all: readonly T[], key: (each: T) => string): Map<string, T> {
  return new Map(all.map((each) => [key(each), each]));
}
