import type { ImageStore, ReferenceStore } from "../../image/index.js";
import type { LayerStore } from "../../layer/index.js";
import type { CopyThreads } from "../copy/copy-threads.js";
import type { VolumeBinds } from "../copy/volume-binds.js";
import type { Events } from "../events.js";
import type { Images } from "../images.js";
import type { Settings } from "../settings.js";
import type { Turns } from "../turns.js";
import type { VolumeStore } from "../volume/volume-store.js";
import type { Container, ContainerStore } from "./container-store.js";

/** What operations on containers work with. */
export interface ContainerParts {
  readonly store: ContainerStore;
  readonly layers: LayerStore;
  readonly imageStore: ImageStore;
  readonly references: ReferenceStore;
  readonly images: Images;
  readonly volumes: VolumeStore;
  readonly events: Events;
  readonly threads: CopyThreads;
  readonly binds: VolumeBinds;
  /** By container id. */
  readonly turns: Turns;
  readonly settings: { readonly current: Pick<Settings, "runtimes" | "defaultRuntime"> };
  /** Name of the storage driver. */
  readonly driver: string;
  /** Absolute path of `tmp` under the data root. */
  readonly tmp: string;
  readonly writable: boolean;
}

/** Tells that something happened to a container. */
export function emitContainer(
  { events }: Pick<ContainerParts, "events">,
  { stored }: Container,
  action: string,
  attributes: Readonly<Record<string, string>> = {},
): void {
  const { Labels, Image: image } = stored.Config;
  const name = stored.Name.slice(1);
  events.emit("container", action, stored.ID, { ...Labels, ...(image && { image }), name, ...attributes });
}
