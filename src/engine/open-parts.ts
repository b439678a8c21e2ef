import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { ensureDirectory } from "../disk/index.js";
import { Ownership } from "../doctor/index.js";
import type { Driver } from "../driver/index.js";
import { DistributionCache, ImageStore, ReferenceStore } from "../image/index.js";
import { LayerStore } from "../layer/index.js";
import { assertSettled } from "../migrate/index.js";
import { Registries } from "../registry/index.js";
import { isErrno, NotFound, nowNs, rfc3339, type Undo } from "../spec/index.js";
import { chooseDriver } from "./choose-driver.js";
import type { ContainerParts } from "./container/container-parts.js";
import { ContainerStore } from "./container/container-store.js";
import { finishRemovals } from "./container/remove.js";
import { type ContainerDefaults, setupDefaults } from "./container-defaults.js";
import { CopyThreads } from "./copy/copy-threads.js";
import { VolumeBinds } from "./copy/volume-binds.js";
import { engineID } from "./engine-id.js";
import { EventBus } from "./event-bus.js";
import { FixedNetworks } from "./fixed-networks.js";
import { ImageOperations } from "./image/operations.js";
import { sweepLayers, sweepMounts, sweepRWLayers, sweepTmp, sweepVolumes } from "./leftovers.js";
import { bridgeDevice, type NetworkSettings } from "./network/network-settings.js";
import type { Networks } from "./networks.js";
import type { BringParts } from "./pull/bring-layers.js";
import { openPulls } from "./pull/open-pulls.js";
import { openPushes } from "./push/open-pushes.js";
import { startByPolicy, takeUp } from "./run/adopt.js";
import { Lives } from "./run/lives.js";
import { inBackground, openRunning } from "./run/open-running.js";
import { watchExits } from "./run/process-operations.js";
import { type Changeable, checkedOptions, type Settings } from "./settings.js";
import type { Slots } from "./slots.js";
import { Turns } from "./turns.js";
import { VolumeStore } from "./volume/volume-store.js";

export interface OpenOptions extends Changeable {
  readonly root: string;
  readonly driver?: string;
  readonly storageOptions: readonly string[];
  readonly network?: NetworkSettings;
  readonly containers?: ContainerDefaults;
  readonly autostart?: boolean;
  readonly initPath?: string;
  readonly execRoot?: string;
  readonly cacheDirectory?: string;
  readonly writable: boolean;
  readonly report: (line: string) => void;
}

/** Everything an engine is made of. */
export interface Parts extends Omit<ContainerParts, "driver" | "events"> {
  /** The lasting name of the data root's engine. */
  readonly id: string;
  readonly root: string;
  readonly driver: Driver;
  readonly owner: Ownership | undefined;
  /** What can change while the engine is open: `current` is replaced then. */
  readonly settings: { current: Settings };
  readonly slots: { readonly downloads: Slots; readonly uploads: Slots };
  readonly events: EventBus;
  readonly registries: Registries;
  readonly networks: Networks;
  /** Layers of pulls that ended early. */
  readonly kept: BringParts["kept"];
  readonly cacheDirectory: string | undefined;
}

/** Opens a data root and all that is in it. @param undo gets what has to be given back, in order */
export async function openParts(options: OpenOptions, undo: Undo): Promise<Parts> {
  const { writable, report } = options;
  const current = checkedOptions(options);
  const { containers: defaults = {} } = options;
  const forContainers = { defaults, setupDefaults: setupDefaults(defaults) };
  const { root, owner } = await openRoot(options, undo);
  const turns = new Turns();
  const lives = new Lives(turns);
  const driver = await openDriver(root, options, undo, lives);
  const { layers, imageStore, references, distribution, pulls } = await openImages(root, driver, {
    ...options,
    atOnce: current.maxConcurrentDownloads,
  });
  const tmp = join(root, "tmp");
  const common = { tmp, writable, report };
  const containers = join(root, "containers");
  const store = await ContainerStore.open({ ...common, directory: containers, driver: driver.name, layers });
  const volumes = await VolumeStore.open({ ...common, directory: join(root, "volumes") });
  const events = new EventBus();
  const threads = new CopyThreads();
  undo.defer(() => threads.close());
  const registries = new Registries(current.registries);
  undo.defer(() => registries[Symbol.asyncDispose]());
  const pushes = openPushes(current.maxConcurrentUploads);
  const images = new ImageOperations({
    ...{ images: imageStore, references, layers, distribution, registries, pulls, driver: driver.name, tmp },
    pushes,
    usersOf: (id) => store.usersOf(id),
    emit: (action, id, attributes) => events.emit("image", action, id, attributes),
  });
  const id = await engineID(root, writable);
  const networks = new FixedNetworks({
    ...{ seed: id, created: rfc3339(nowNs()), store },
    device: bridgeDevice(options.network),
  });
  const running = await openRunning({ ...options, root, store, networks, events, lives }, undo);
  const stores = { store, layers, imageStore, references, volumes };
  const settings = { current };
  const shared = { events, threads, binds: new VolumeBinds(), turns, lives, ...running, ...forContainers };
  const parts = { ...stores, ...shared, images, settings, tmp, writable, report };
  if (writable) await tidy(root, { ...parts, driver: driver.name }, options, undo);
  const { kept } = pulls;
  const slots = { downloads: pulls.downloads, uploads: pushes.slots };
  const { cacheDirectory } = options;
  return { ...parts, id, root, driver, owner, registries, slots, networks, kept, cacheDirectory };
}

async function openRoot({ root: path, writable, report }: OpenOptions, undo: Undo) {
  if (writable) await ensureDirectory(path, 0o710);
  const root = await realpath(path).catch((error) => {
    throw isErrno(error, "ENOENT") ? new NotFound(`there is no data root ${path}`, { cause: error }) : error;
  });
  if (!writable) return { root, owner: undefined };
  const owner = await Ownership.take(root);
  undo.defer(() => owner[Symbol.asyncDispose]());
  await assertSettled(root);
  await ensureDirectory(join(root, "tmp"), 0o700);
  await sweepTmp(join(root, "tmp"), report);
  await ensureDirectory(join(root, "image"), 0o700);
  return { root, owner };
}

async function openDriver(root: string, options: OpenOptions, undo: Undo, lives: Lives): Promise<Driver> {
  const { driver: name, storageOptions, writable, report } = options;
  const named = name && { driver: name };
  const driver = await chooseDriver(root, { ...named, storageOptions, readOnly: !writable, warn: report });
  // What is mounted in a root that is another's stays.
  if (writable) undo.defer(() => driver.close(lives.mounted()));
  return driver;
}

async function openImages(
  root: string,
  driver: Driver,
  { writable, report, atOnce }: OpenOptions & { readonly atOnce: number },
) {
  const home = join(root, "image", driver.name);
  const layers = await LayerStore.open({ root: home, driver, writable, report });
  const imageStore = await ImageStore.open({ root: home, layers, writable, report });
  const references = await ReferenceStore.open(join(home, "repositories.json"), { writable });
  for (const { path, why } of [...layers.damaged, ...imageStore.damaged]) report(`${path} is passed over: ${why}`);
  const pulls = await openPulls({ root: home, layers, writable, atOnce });
  const distribution = new DistributionCache(join(home, "distribution"));
  return { layers, imageStore, references, distribution, pulls };
}

/** Ends what interrupted operations had begun, one way or the other. */
async function tidy(root: string, parts: ContainerParts, { autostart }: OpenOptions, undo: Undo): Promise<void> {
  const { report } = parts;
  await takeUp(parts);
  for (const home of [parts.driver, "containers"]) sweepMounts(join(root, home), parts.layers, parts.store, report);
  await finishRemovals(parts, report);
  await sweepVolumes(parts.tmp, parts.volumes, parts.store, report);
  await sweepRWLayers(parts.layers, parts.store, report);
  await sweepLayers(root, parts.layers, parts.imageStore, report);
  inBackground("exits of containers", (signal) => watchExits(parts, signal), report, undo);
  if (autostart) startByPolicy(parts);
}
