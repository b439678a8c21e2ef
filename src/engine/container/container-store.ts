import { mkdir, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { ensureDirectory, removeTree, sweepTemporary, syncDirectory, WriteSet, writeAtomic } from "../../disk/index.js";
import type { LayerStore } from "../../layer/index.js";
import {
  AlreadyExists,
  Conflict,
  DataLoss,
  Forbidden,
  goJSON,
  type ImageID,
  isErrno,
  messageOf,
  NotFound,
  parseRFC3339,
  randomID,
} from "../../spec/index.js";
import type { HostConfig } from "../api-container.js";
import { LaterWrites } from "./later-writes.js";
import { randomName } from "./names.js";
import { parseHostConfig, parseStored } from "./parse-stored.js";
import type { StoredContainer } from "./stored.js";

/** A container: what its two files say. A change replaces it in the store. */
export interface Container {
  readonly stored: StoredContainer;
  readonly host: HostConfig;
}

export interface ContainerStoreOptions {
  /** Absolute path of `containers` under the data root. */
  readonly directory: string;
  /** Absolute path of `tmp` under the data root: directories are made and unmade there. */
  readonly tmp: string;
  /** Where the containers' writable layers are. */
  readonly layers: Pick<LayerStore, "rw">;
  /** Containers of other drivers are passed over. */
  readonly driver: string;
  readonly writable: boolean;
  /** Told one line for each container that cannot be used; it stays as it is. */
  readonly report: (line: string) => void;
}

/**
 * Containers at rest: `containers/ID` in Docker's format. A container appears and goes with one rename, and each of
 * its files is replaced in one step.
 */
export class ContainerStore {
  readonly #options: ContainerStoreOptions;
  readonly #containers = new Map<string, Container>();
  /** Ids by name; names kept for containers that are being made or renamed are among them. */
  readonly #names = new Map<string, string>();
  /** Directories that are there but cannot be used. */
  readonly #damaged = new Set<string>();
  readonly #later = new LaterWrites((id) => this.#writeState(id));

  private constructor(options: ContainerStoreOptions) {
    this.#options = options;
  }

  /** Reads all containers; damaged ones are reported and passed over. */
  static async open(options: ContainerStoreOptions): Promise<ContainerStore> {
    const store = new ContainerStore(options);
    if (options.writable) await ensureDirectory(options.directory, 0o710);
    for (const id of await namesIn(options.directory)) await store.#load(id);
    return store;
  }

  async #load(id: string): Promise<void> {
    const { directory, driver, layers, writable, report } = this.#options;
    try {
      if (writable) await sweepTemporary(join(directory, id));
      const stored = parseStored(id, await readFile(join(directory, id, "config.v2.json"), "utf8"));
      const host = parseHostConfig(await readIfThere(join(directory, id, "hostconfig.json")));
      if (stored.Driver !== driver) return void this.#damaged.add(id);
      if (!layers.rw.find(id) && !stored.State.Dead) throw new DataLoss("it has no writable layer");
      if (stored.Name === "" || this.isTaken(stored.Name)) stored.Name = randomName((name) => this.isTaken(name));
      this.#names.set(stored.Name, id);
      this.#containers.set(id, { stored, host });
    } catch (error) {
      this.#damaged.add(id);
      report(`container ${id} is passed over: ${messageOf(error)}`);
    }
  }

  /** All containers, newest first. */
  list(): Container[] {
    const created = ({ stored }: Container) => parseRFC3339(stored.Created) ?? 0n;
    const timed = [...this.#containers.values()].map((container) => [created(container), container] as const);
    return timed.sort(([a], [b]) => (a < b ? 1 : a > b ? -1 : 0)).map(([, container]) => container);
  }

  get size(): number {
    return this.#containers.size;
  }

  byID(id: string): Container | undefined {
    return this.#containers.get(id);
  }

  /** Whether something is stored under this id, usable or not. */
  isThere(id: string): boolean {
    return this.#containers.has(id) || this.#damaged.has(id);
  }

  /**
   * By full id, by name with or without its slash, or by a unique prefix of an id.
   *
   * @throws NotFound "No such container: …"; Conflict: the prefix of several
   */
  find(name: string): Container {
    const named = this.#names.get(`/${name.replace(/^\//, "")}`) ?? "";
    const exact = this.#containers.get(name) ?? this.#containers.get(named);
    if (exact) return exact;
    const ids = name === "" ? [] : [...this.#containers.keys()].filter((id) => id.startsWith(name));
    const [found, other] = ids.map((id) => this.#containers.get(id));
    if (other) throw new Conflict(`Multiple IDs found with provided prefix: ${name}`);
    if (!found) throw new NotFound(`No such container: ${name}`);
    return found;
  }

  /** The containers made of an image. */
  usersOf(image: ImageID): { readonly id: string; readonly running: boolean }[] {
    const users = this.list().filter(({ stored }) => stored.Image === image);
    return users.map(({ stored }) => ({ id: stored.ID, running: stored.State.Running }));
  }

  /** Whether a container other than `but` has the volume. */
  hasVolume(name: string, but?: string): boolean {
    const has = ({ stored }: Container) => Object.values(stored.MountPoints).some((mount) => mount.Name === name);
    return [...this.#containers.values()].some((container) => container.stored.ID !== but && has(container));
  }

  isTaken(name: string): boolean {
    return this.#names.has(name);
  }

  /** Keeps a name for `id`, until it is freed. @throws Conflict: it is taken */
  reserve(name: string, id: string): void {
    const holder = this.#names.get(name);
    if (holder !== undefined) {
      throw new Conflict(
        `Conflict. The container name "${name}" is already in use by container "${holder}". ` +
          "You have to remove (or rename) that container to be able to reuse that name.",
      );
    }
    this.#names.set(name, id);
  }

  free(name: string): void {
    this.#names.delete(name);
  }

  /** Takes in a new container, whose name is reserved; from here on it survives a power cut. @throws AlreadyExists */
  async add(container: Container): Promise<void> {
    this.#mustBeWritable();
    const { ID: id } = container.stored;
    if (this.isThere(id)) throw new AlreadyExists(`container ${id} is already there`);
    await using files = await WriteSet.open(this.#options.tmp, `container-${id}`);
    await mkdir(join(files.path, "checkpoints"), { mode: 0o700 });
    for (const [name, text, mode] of filesOf(container)) await files.write(name, text, mode);
    await files.commit(join(this.#options.directory, id), { mode: 0o710 });
    this.#containers.set(id, container);
  }

  /** Replaces a container's files and what is known of it. */
  async update(container: Container): Promise<void> {
    this.#mustBeWritable();
    const { ID: id } = container.stored;
    const isBehind = await this.#later.cancel(id);
    const directory = this.pathOf(id);
    const before = this.#containers.get(id);
    const there = new Map(before && filesOf(before).map(([name, text]) => [name, text]));
    if (isBehind) there.delete("config.v2.json");
    for (const [name, text, mode] of filesOf(container)) {
      if (there.get(name) !== text) await writeAtomic(join(directory, name), text, { mode });
    }
    this.#containers.set(container.stored.ID, container);
  }

  /**
   * Replaces what is known of a container's state at once, and its file a moment later: for what a crash does no harm
   * to, since the supervisor knows what runs. A file that cannot be written is reported, and written with the next change.
   */
  note(container: Container): void {
    this.#mustBeWritable();
    this.#containers.set(container.stored.ID, container);
    this.#later.wish(container.stored.ID);
  }

  /** Replaces what is known of a container here, where its file will not be needed. */
  keep(container: Container): void {
    this.#containers.set(container.stored.ID, container);
  }

  /** Resolves when all that was noted is on disk. @param id of one container; all without */
  async settled(id?: string): Promise<void> {
    await (id === undefined ? this.#later.allSettled() : this.#later.settled(id));
  }

  async #writeState(id: string): Promise<void> {
    const container = this.#containers.get(id);
    if (!container) return;
    const file = join(this.pathOf(id), "config.v2.json");
    try {
      await writeAtomic(file, `${goJSON(container.stored)}\n`, { mode: 0o600 });
    } catch (error) {
      // It may have been removed meanwhile.
      if (this.#containers.has(id)) this.#options.report(`${file} cannot be written: ${messageOf(error)}`);
    }
  }

  /** Absolute path of a container's directory. */
  pathOf(id: string): string {
    return join(this.#options.directory, id);
  }

  /** Takes a container away with its directory and frees its name; an absent one is no error. */
  async delete(id: string): Promise<void> {
    this.#mustBeWritable();
    const grave = join(this.#options.tmp, `removed-${randomID()}`);
    const moved = await movedAway(join(this.#options.directory, id), grave);
    const name = this.#containers.get(id)?.stored.Name;
    if (name !== undefined) this.free(name);
    this.#containers.delete(id);
    if (!moved) return;
    await syncDirectory(this.#options.directory);
    await removeTree(grave);
  }

  #mustBeWritable(): void {
    if (!this.#options.writable) throw new Forbidden("the data root was opened to be read only");
  }
}

function filesOf({ stored, host }: Container): [name: string, text: string, mode: number][] {
  return [
    ["hostconfig.json", `${goJSON(host)}\n`, 0o644],
    ["config.v2.json", `${goJSON(stored)}\n`, 0o600],
  ];
}

async function movedAway(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return false;
    throw error;
  }
}

async function namesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error) => {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  });
  return entries.filter((entry) => entry.isDirectory() && /^[0-9a-f]{64}$/.test(entry.name)).map(({ name }) => name);
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error) => {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  });
}
