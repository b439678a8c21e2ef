import type { Driver } from "../driver/index.js";
import { NotImplemented } from "../spec/index.js";
import type { DiskUsage, Info, Version } from "./api-system.js";
import type { Containers } from "./containers.js";
import type { Events } from "./events.js";
import type { Images } from "./images.js";
import type { Networks } from "./networks.js";
import type { Volumes } from "./volumes.js";

export interface EngineOptions {
  /** The data root; made when it is not there. */
  readonly root: string;
  /** Storage driver; without it the one the root already has, else `overlay2`. */
  readonly driver?: string;
  /** `KEY=VALUE`, as `--storage-opt`. */
  readonly storageOptions?: readonly string[];
  /** Opens without the owner's lock and writes nothing; a root that another process serves can be read so. */
  readonly readOnly?: boolean;
  /** Told, one line each, what was found damaged or left over. Without it standard error is. */
  readonly report?: (line: string) => void;
}

/**
 * A data root, opened: everything that can be done with the images and containers in it, without HTTP. One process at
 * a time may write to a root: the engine holds its lock until disposed. Disposing undoes all mounts.
 */
export class Engine implements AsyncDisposable {
  readonly root!: string;
  readonly readOnly!: boolean;
  readonly driver!: Driver;
  readonly images!: Images;
  readonly containers!: Containers;
  readonly volumes!: Volumes;
  readonly networks!: Networks;
  readonly events!: Events;

  /**
   * Opens or makes the data root, sweeps what a crash left, and takes its lock.
   *
   * @throws Unavailable: another process has it (its pid is named), or a running dockerd serves it;
   * InvalidParameter: unknown driver or option, several drivers' data in one root
   */
  static async open(_options: EngineOptions): Promise<Engine> {
    throw new NotImplemented("Engine.open is not there yet");
  }

  /** Makes known, in the lock file, where the owner listens; `ownerOf` of the root gives it to others. */
  async announce(_socket: string): Promise<void> {
    throw new NotImplemented("not there yet");
  }

  async info(): Promise<Info> {
    throw new NotImplemented("not there yet");
  }

  version(): Version {
    throw new NotImplemented("not there yet");
  }

  async diskUsage(): Promise<DiskUsage> {
    throw new NotImplemented("not there yet");
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Who has a data root open for writing. */
export interface Owner {
  readonly pid: number;
  /** Path of the unix socket it serves; absent when it serves none. */
  readonly socket?: string;
}

/** The live owner of a data root; undefined when it is free, or not there. Takes no lock itself. */
export async function ownerOf(_root: string): Promise<Owner | undefined> {
  return undefined;
}
