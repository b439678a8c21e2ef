import { hostname } from "node:os";
import { join } from "node:path";
import { checkDriverOptions, type Driver } from "../driver/index.js";
import type { Login } from "../registry/index.js";
import { type Credentials, Forbidden, Undo } from "../spec/index.js";
import type { DiskUsage, Info, Version } from "./api-system.js";
import { containerOperations } from "./container/container-operations.js";
import { type ContainerDefaults, setupDefaults } from "./container-defaults.js";
import type { Containers } from "./containers.js";
import { diskUsageOf } from "./disk-usage.js";
import { type Doctor, doctorOperations } from "./doctor.js";
import type { Events } from "./events.js";
import type { Execs } from "./execs.js";
import { LastUse } from "./gc/last-use.js";
import { type Pins, pinOperations } from "./gc/pins.js";
import { watchUses } from "./gc/watch.js";
import type { Images } from "./images.js";
import { infoOf } from "./info.js";
import { layerOperations } from "./layer-operations.js";
import type { Layers } from "./layers.js";
import { checkNetworkSettings, type NetworkSettings } from "./network/network-settings.js";
import type { Networks } from "./networks.js";
import { openParts, type Parts } from "./open-parts.js";
import type { Processes } from "./processes.js";
import { versionData } from "./product.js";
import { execOperations } from "./run/exec.js";
import { inBackground } from "./run/open-running.js";
import { processOperations } from "./run/process-operations.js";
import { attributesOf, type Changeable, checkedOptions } from "./settings.js";
import { volumeOperations } from "./volume/volume-operations.js";
import type { Volumes } from "./volumes.js";

export interface EngineOptions extends Changeable {
  /** The data root; made when it is not there, unless `readOnly`. */
  readonly root: string;
  /**
   * Storage driver; without it the one whose data the root has, else the first that works of overlay2, overlay and vfs.
   * An ordinary user gets vfs, and so does who is on overlayfs already.
   */
  readonly driver?: string;
  /** `KEY=VALUE`, as `--storage-opt`. */
  readonly storageOptions?: readonly string[];
  /** Of containers that say nothing themselves. */
  readonly containers?: ContainerDefaults;
  /** The network of containers that name none. */
  readonly network?: NetworkSettings;
  /** Starts again what has a restart policy and was not stopped by hand: for a daemon. */
  readonly autostart?: boolean;
  /** Path of the program that `--init` puts before a container's own; one on PATH unless given. */
  readonly initPath?: string;
  /** Directory below which what does not outlive the machine's next start is kept: `/run/layerkit`, or the user's. */
  readonly execRoot?: string;
  /** Directory for what may be lost at any time, as what was measured; nothing of it is kept without one. */
  readonly cacheDirectory?: string;
  /** Opens without the owner's lock and writes nothing; a root that another process serves can be read so. */
  readonly readOnly?: boolean;
  /** Told, one line each, what was found damaged or left over. Without it standard error is. */
  readonly report?: (line: string) => void;
}

/**
 * Says what is wrong with options, as far as that can be known without opening the data root.
 *
 * @throws InvalidParameter
 */
export function checkOptions(options: Partial<EngineOptions>): void {
  const { driver, storageOptions, network, containers, ...changeable } = options;
  checkDriverOptions(driver, storageOptions);
  if (network) checkNetworkSettings(network);
  if (containers) setupDefaults(containers);
  checkedOptions(changeable);
}

/**
 * A data root, opened: everything that can be done with the images and containers in it, without HTTP. One process at
 * a time may write to a root: the engine holds its lock until disposed, and dockerd cannot start on it meanwhile.
 * Disposing undoes all mounts but those of containers that run: they go on under their supervisor, and the next engine
 * takes them up.
 */
export class Engine implements AsyncDisposable {
  readonly root: string;
  readonly readOnly: boolean;
  readonly driver: Driver;
  readonly images: Images;
  readonly layers: Layers;
  readonly containers: Containers;
  readonly processes: Processes;
  readonly execs: Execs;
  readonly volumes: Volumes;
  readonly networks: Networks;
  readonly events: Events;
  readonly doctor: Doctor;
  readonly pins: Pins;
  readonly #parts: Parts;
  readonly #undo: Undo;

  private constructor(parts: Parts, undo: Undo) {
    this.root = parts.root;
    this.readOnly = !parts.writable;
    this.driver = parts.driver;
    this.images = parts.images;
    this.layers = layerOperations(parts);
    const containerParts = { ...parts, driver: parts.driver.name };
    this.containers = containerOperations(containerParts);
    this.processes = processOperations(containerParts);
    this.execs = execOperations(containerParts);
    this.volumes = volumeOperations(parts);
    this.networks = parts.networks;
    this.events = parts.events;
    const { containers, images, volumes } = this;
    const { root, layers, kept, writable, cacheDirectory } = parts;
    this.pins = pinOperations({ ...parts, imageRoot: join(root, "image", parts.driver.name) });
    this.doctor = doctorOperations({
      root,
      driver: parts.driver.name,
      containers,
      images,
      volumes,
      layers,
      kept,
      writable,
      cacheDirectory,
    });
    this.#parts = parts;
    this.#undo = undo;
  }

  /**
   * Opens or makes the data root, takes its lock, and removes what interrupted operations left.
   *
   * @throws Unavailable: another process has it (its pid is named), or a running dockerd serves it; the kernel or file
   * system cannot have the driver; InvalidParameter: unknown driver or option, several drivers' data in one root
   */
  static async open({ readOnly = false, report = reportToStderr, ...options }: EngineOptions): Promise<Engine> {
    const undo = new Undo();
    await using failed = new Undo();
    failed.defer(() => undo[Symbol.asyncDispose]());
    const parts = await openParts({ storageOptions: [], ...options, writable: !readOnly, report }, undo);
    const engine = new Engine(parts, undo);
    if (options.autostart && parts.writable) engine.#collect();
    failed.done();
    return engine;
  }

  /** For a daemon: from now on images go that are too much, as the settings say. */
  #collect(): void {
    const { store: containers, driver, ...parts } = this.#parts;
    const imageRoot = join(this.root, "image", driver.name);
    const { images, doctor } = this;
    const lastUse = new LastUse(imageRoot);
    const watching = { ...parts, store: containers, containers, images, doctor, lastUse, imageRoot };
    inBackground("collecting images", (signal) => watchUses(watching, signal), parts.report, this.#undo);
  }

  /** Makes known, in the lock file, where the owner listens; `ownerOf` the root tells it to others. */
  async announce(socket: string): Promise<void> {
    if (!this.#parts.owner) throw new Forbidden(`data root ${this.root} was opened to be read only`);
    await this.#parts.owner.announce(socket);
  }

  /**
   * Takes these settings in place of those it has, as if it had been opened with them. What is under way goes on with
   * the old ones.
   *
   * @throws InvalidParameter: nothing has changed
   */
  reload(changeable: Changeable): void {
    const { settings, slots, registries, events, id } = this.#parts;
    const changed = checkedOptions(changeable);
    registries.configure(changed.registries);
    slots.downloads.resize(changed.maxConcurrentDownloads);
    slots.uploads.resize(changed.maxConcurrentUploads);
    settings.current = changed;
    events.emit("daemon", "reload", id, { name: hostname(), ...attributesOf(changed) });
  }

  async info(): Promise<Info> {
    return infoOf(this.#parts);
  }

  version(): Version {
    return versionData();
  }

  /**
   * Asks the registry at `credentials.serveraddress` (Docker Hub without one) whether it takes them.
   *
   * @throws Unauthorized: it does not; Unavailable: it cannot be reached
   */
  login(credentials: Credentials, signal?: AbortSignal): Promise<Login> {
    return this.#parts.registries.login(credentials, { signal });
  }

  /** As `docker system df -v` shows it; `doctor.usage` tells more. */
  async diskUsage(): Promise<DiskUsage> {
    const [images, containers, { Volumes: volumes }] = await Promise.all([
      this.images.list(),
      this.containers.list({ all: true }),
      this.volumes.list(),
    ]);
    return diskUsageOf(await this.doctor.usage(), { images, containers, volumes });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#undo[Symbol.asyncDispose]();
  }
}

function reportToStderr(line: string): void {
  process.stderr.write(`layerkit: ${line}\n`);
}
