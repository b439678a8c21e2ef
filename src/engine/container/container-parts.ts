import type { ImageStore, ReferenceStore } from "../../image/index.js";
import type { LayerStore } from "../../layer/index.js";
import type { RuntimePlace, SetupDefaults, Supervisor } from "../../runtime/index.js";
import type { ContainerDefaults } from "../container-defaults.js";
import type { CopyThreads } from "../copy/copy-threads.js";
import type { VolumeBinds } from "../copy/volume-binds.js";
import type { Events } from "../events.js";
import type { Images } from "../images.js";
import type { ExecTable } from "../run/exec-table.js";
import type { Lives } from "../run/lives.js";
import type { Attachments } from "../run/network-attachment.js";
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
  /** By container id: who reads or writes the container's tree. */
  readonly turns: Turns;
  readonly lives: Lives;
  readonly execs: ExecTable;
  readonly supervisor: Supervisor;
  readonly attachments: Attachments;
  /** Absolute path of the directory for what does not outlive the machine's next start. */
  readonly runDirectory: string;
  /** For what asks the runtime itself. */
  readonly runtimePlace: RuntimePlace;
  /** Path of the program for `--init`. @throws Unavailable: there is none */
  readonly initPath: () => string;
  readonly defaults: ContainerDefaults;
  /** What of them counts at each start. */
  readonly setupDefaults: SetupDefaults;
  readonly settings: { readonly current: Pick<Settings, "runtimes" | "defaultRuntime"> };
  /** Name of the storage driver. */
  readonly driver: string;
  /** Absolute path of `tmp` under the data root. */
  readonly tmp: string;
  readonly writable: boolean;
  /** Told one line for each thing that goes wrong where nobody waits for it. */
  readonly report: (line: string) => void;
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
