import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { ensureDirectory } from "../disk/index.js";
import type { Driver } from "../driver/index.js";
import { ImageStore, ReferenceStore } from "../image/index.js";
import { LayerStore } from "../layer/index.js";
import { Forbidden, nowNs, rfc3339, Undo } from "../spec/index.js";
import type { DiskUsage, Info, Version, Volume } from "./api-system.js";
import { chooseDriver } from "./choose-driver.js";
import { containerOperations, settleRunning } from "./container/container-operations.js";
import { ContainerStore } from "./container/container-store.js";
import { finishRemovals } from "./container/remove.js";
import type { Containers } from "./containers.js";
import { CopyThreads } from "./copy/copy-threads.js";
import { VolumeBinds } from "./copy/volume-binds.js";
import { engineID } from "./engine-id.js";
import { EventBus } from "./event-bus.js";
import type { Events } from "./events.js";
import { FixedNetworks } from "./fixed-networks.js";
import { ImageOperations } from "./image/operations.js";
import type { Images } from "./images.js";
import { infoOf } from "./info.js";
import { sweepLayers, sweepRWLayers, sweepTmp } from "./leftovers.js";
import type { Networks } from "./networks.js";
import { Ownership } from "./owner.js";
import { versionData } from "./product.js";
import { Turns } from "./turns.js";
import { volumeOperations } from "./volume/volume-operations.js";
import { VolumeStore } from "./volume/volume-store.js";
import type { Volumes } from "./volumes.js";

export interface EngineOptions {
  /** The data root; made when it is not there, unless `readOnly`. */
  readonly root: string;
  /** Storage driver; without it the one whose data the root has, else `overlay2`. */
  readonly driver?: string;
  /** Driver of a root without data where `overlay2` cannot work: an ordinary user's, or on overlayfs itself. */
  readonly fallbackDriver?: string;
  /** `KEY=VALUE`, as `--storage-opt`. */
  readonly storageOptions?: readonly string[];
  /** Opens without the owner's lock and writes nothing; a root that another process serves can be read so. */
  readonly readOnly?: boolean;
  /** Told, one line each, what was found damaged or left over. Without it standard error is. */
  readonly report?: (line: string) => void;
}

/** Everything an engine is made of. */
interface Parts {
  readonly id: string;
  readonly root: string;
  readonly readOnly: boolean;
  readonly driver: Driver;
  readonly owner: Ownership | undefined;
  readonly store: ContainerStore;
  readonly images: Images;
  readonly containers: Containers;
  readonly volumes: Volumes & { usage(): Promise<Volume[]> };
  readonly networks: Networks;
  readonly events: EventBus;
}

/**
 * A data root, opened: everything that can be done with the images and containers in it, without HTTP. One process at
 * a time may write to a root: the engine holds its lock until disposed, and dockerd cannot start on it meanwhile.
 * Disposing undoes all mounts.
 */
export class Engine implements AsyncDisposable {
  readonly root: string;
  readonly readOnly: boolean;
  readonly driver: Driver;
  readonly images: Images;
  readonly containers: Containers;
  readonly volumes: Volumes;
  readonly networks: Networks;
  readonly events: Events;
  readonly #parts: Parts;
  readonly #undo: Undo;

  private constructor(parts: Parts, undo: Undo) {
    this.root = parts.root;
    this.readOnly = parts.readOnly;
    this.driver = parts.driver;
    this.images = parts.images;
    this.containers = parts.containers;
    this.volumes = parts.volumes;
    this.networks = parts.networks;
    this.events = parts.events;
    this.#parts = parts;
    this.#undo = undo;
  }

  /**
   * Opens or makes the data root, takes its lock, and removes what interrupted operations left.
   *
   * @throws Unavailable: another process has it (its pid is named), or a running dockerd serves it; the kernel or file
   * system cannot have the driver; InvalidParameter: unknown driver or option, several drivers' data in one root
   */
  static async open(options: EngineOptions): Promise<Engine> {
    const undo = new Undo();
    await using failed = new Undo();
    failed.defer(() => undo[Symbol.asyncDispose]());
    const engine = new Engine(await openParts(options, undo), undo);
    failed.done();
    return engine;
  }

  /** Makes known, in the lock file, where the owner listens; `ownerOf` the root tells it to others. */
  async announce(socket: string): Promise<void> {
    if (!this.#parts.owner) throw new Forbidden(`data root ${this.root} was opened to be read only`);
    await this.#parts.owner.announce(socket);
  }

  async info(): Promise<Info> {
    return infoOf(this.#parts);
  }

  version(): Version {
    return versionData();
  }

  async diskUsage(): Promise<DiskUsage> {
    const { images, containers, volumes } = this.#parts;
    const { LayersSize, Images } = await images.usage();
    const Containers = await containers.list({ all: true, size: true });
    return { LayersSize, Images, Containers, Volumes: await volumes.usage(), BuildCache: [], BuilderSize: 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#undo[Symbol.asyncDispose]();
  }
}

/** @param undo gets what has to be given back, in order */
async function openParts(options: EngineOptions, undo: Undo): Promise<Parts> {
  const { readOnly = false, report = reportToStderr } = options;
  const writable = !readOnly;
  if (writable) await ensureDirectory(options.root, 0o710);
  const root = await realpath(options.root);
  const owner = writable ? await Ownership.take(root) : undefined;
  if (owner) undo.defer(() => owner[Symbol.asyncDispose]());
  const tmp = join(root, "tmp");
  if (writable) {
    await ensureDirectory(tmp, 0o700);
    await sweepTmp(tmp, report);
  }
  const { driver: name, fallbackDriver, storageOptions = [] } = options;
  const named = { ...(name && { driver: name }), ...(fallbackDriver && { fallback: fallbackDriver }) };
  const driver = await chooseDriver(root, { ...named, storageOptions, warn: report });
  // Of a root that is another's, its mounts are as well.
  if (writable) undo.defer(() => driver.close());

  const home = join(root, "image", driver.name);
  if (writable) await ensureDirectory(join(root, "image"), 0o700);
  const layers = await LayerStore.open({ root: home, driver, writable, report });
  undo.defer(() => layers[Symbol.asyncDispose]());
  const imageStore = await ImageStore.open({ root: home, layers, writable, report });
  const references = await ReferenceStore.open(join(home, "repositories.json"), { writable });
  for (const { path, why } of [...layers.damaged, ...imageStore.damaged]) report(`${path} is passed over: ${why}`);
  const directories = { containers: join(root, "containers"), volumes: join(root, "volumes") };
  const common = { tmp, driver: driver.name, writable };
  const store = await ContainerStore.open({ ...common, directory: directories.containers, layers, report });
  const volumes = await VolumeStore.open({ tmp, writable, directory: directories.volumes });

  const events = new EventBus();
  const threads = new CopyThreads();
  undo.defer(() => threads.close());
  const images = new ImageOperations({
    ...{ images: imageStore, references, layers, driver: driver.name, tmp },
    usersOf: (id) =>
      store
        .list()
        .filter(({ stored }) => stored.Image === id)
        .map(({ stored }) => ({ id: stored.ID, running: stored.State.Running })),
    emit: (action, id, attributes) => events.emit("image", action, id, attributes),
  });
  const shared = { store, layers, imageStore, references, images, volumes, events, threads, turns: new Turns() };
  const parts = { ...shared, binds: new VolumeBinds(), driver: driver.name, writable };
  if (writable) {
    await settleRunning(parts);
    await finishRemovals(parts, report);
    await sweepRWLayers(layers, store, report);
    await sweepLayers(root, layers, imageStore, report);
  }
  const id = await engineID(root, writable);
  return {
    ...{ id, root, readOnly, driver, owner, store, images, events },
    containers: containerOperations(parts),
    volumes: volumeOperations(parts),
    networks: new FixedNetworks(id, rfc3339(nowNs())),
  };
}

function reportToStderr(line: string): void {
  process.stderr.write(`layerkit: ${line}\n`);
}
