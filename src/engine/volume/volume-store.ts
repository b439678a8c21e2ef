import { mkdir, readdir, readFile, rename, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ensureDirectory, removeTree, syncDirectory, writeAtomic } from "../../disk/index.js";
import { Forbidden, goJSON, InvalidParameter, isErrno, NotFound, randomID, rfc3339 } from "../../spec/index.js";
import type { Volume, VolumeCreateBody } from "../api-system.js";

export interface VolumeStoreOptions {
  /** Absolute path of `volumes` under the data root. */
  readonly directory: string;
  /** Absolute path of `tmp` under the data root. */
  readonly tmp: string;
  readonly writable: boolean;
}

const grammar = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const optionNames: Readonly<Record<string, string>> = { type: "MountType", o: "MountOpts", device: "MountDevice" };

/**
 * Volumes of the driver `local`: `volumes/NAME/_data`, found by dockerd without a record in its database. Mount options
 * are in `opts.json` as dockerd has them; labels, which dockerd keeps in its database, in a file of our own.
 */
export class VolumeStore {
  readonly #options: VolumeStoreOptions;
  /** How many containers that are being made want a volume. */
  readonly #claims = new Map<string, number>();

  private constructor(options: VolumeStoreOptions) {
    this.#options = options;
  }

  static async open(options: VolumeStoreOptions): Promise<VolumeStore> {
    if (options.writable) await ensureDirectory(options.directory, 0o701);
    return new VolumeStore(options);
  }

  /** All volumes, by name. */
  async list(): Promise<Volume[]> {
    const entries = await readdir(this.#options.directory, { withFileTypes: true }).catch((error) => {
      if (isErrno(error, "ENOENT")) return [];
      throw error;
    });
    const names = entries.filter((entry) => entry.isDirectory() && grammar.test(entry.name)).map(({ name }) => name);
    const volumes = await Promise.all(names.sort().map((name) => this.find(name)));
    return volumes.filter((volume) => volume !== undefined);
  }

  async find(name: string): Promise<Volume | undefined> {
    if (!grammar.test(name)) return undefined;
    const found = await stat(this.pathOf(name), { bigint: true }).catch(() => undefined);
    if (!found?.isDirectory()) return undefined;
    const stored = (await this.#json(name, "opts.json")) as Record<string, string> | undefined;
    const options = Object.entries(optionNames).flatMap(([name, key]) => (stored?.[key] ? [[name, stored[key]]] : []));
    const own = (await this.#json(name, "layerkit.json")) as { Labels?: Record<string, string> } | undefined;
    return {
      CreatedAt: rfc3339((found.ctimeNs / 1_000_000_000n) * 1_000_000_000n),
      Driver: "local",
      Labels: own?.Labels ?? null,
      Mountpoint: this.pathOf(name),
      Name: name,
      Options: options.length > 0 ? Object.fromEntries(options.sort()) : null,
      Scope: "local",
    };
  }

  /** @throws NotFound "get NAME: no such volume" */
  async get(name: string): Promise<Volume> {
    const volume = await this.find(name);
    if (!volume) throw new NotFound(`get ${name}: no such volume`);
    return volume;
  }

  /** Keeps a volume for a container that is being made, until disposed. */
  claim(name: string): Disposable {
    this.#claims.set(name, (this.#claims.get(name) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#claims.get(name) ?? 1) - 1;
        if (left > 0) this.#claims.set(name, left);
        else this.#claims.delete(name);
      },
    };
  }

  /** How many containers that are being made want it. */
  claims(name: string): number {
    return this.#claims.get(name) ?? 0;
  }

  /** Where a volume's files are. */
  pathOf(name: string): string {
    return join(this.#options.directory, name, "_data");
  }

  /** Whether nothing was ever put into it. */
  async isEmpty(name: string): Promise<boolean> {
    return (await readdir(this.pathOf(name))).length === 0;
  }

  /**
   * Makes a volume, whole or not at all; one that is there stays as it is.
   *
   * @throws InvalidParameter: bad name or option; NotFound: another driver
   */
  async create(body: VolumeCreateBody): Promise<{ readonly volume: Volume; readonly isNew: boolean }> {
    const name = body.Name || randomID();
    this.#mustBeWritable();
    checkCreate(name, body);
    const there = await this.find(name);
    if (there) return { volume: there, isNew: false };
    const draft = join(this.#options.tmp, `volume-${randomID()}`);
    try {
      await ensureDirectory(draft, 0o701);
      await ensureDirectory(join(draft, "_data"), 0o755);
      await writeOptions(draft, body);
      await rename(draft, join(this.#options.directory, name));
    } catch (error) {
      await removeTree(draft);
      // Somebody else was faster.
      if (isErrno(error, "ENOTEMPTY", "EEXIST")) return { volume: await this.get(name), isNew: false };
      throw error;
    }
    await syncDirectory(this.#options.directory);
    return { volume: await this.get(name), isNew: true };
  }

  /** Deletes a volume with its files; an absent one is no error. */
  async delete(name: string): Promise<void> {
    this.#mustBeWritable();
    if (!grammar.test(name)) return;
    const grave = join(this.#options.tmp, `removed-${randomID()}`);
    await mkdir(grave, { mode: 0o700 });
    const moved = await rename(join(this.#options.directory, name), join(grave, name)).then(
      () => true,
      (error) => {
        if (isErrno(error, "ENOENT")) return false;
        throw error;
      },
    );
    if (!moved) return rmdir(grave);
    await syncDirectory(this.#options.directory);
    await removeTree(grave);
  }

  #mustBeWritable(): void {
    if (!this.#options.writable) throw new Forbidden("the data root was opened to be read only");
  }

  async #json(name: string, file: string): Promise<object | undefined> {
    try {
      const value: unknown = JSON.parse(await readFile(join(this.#options.directory, name, file), "utf8"));
      return value !== null && typeof value === "object" ? value : undefined;
    } catch {
      return undefined;
    }
  }
}

function checkCreate(name: string, { Driver: driver, DriverOpts }: VolumeCreateBody): void {
  if (driver && driver !== "local") {
    throw new NotFound(`create ${name}: error looking up volume plugin ${driver}: plugin "${driver}" not found`);
  }
  if (name.length < 2) {
    const why = "volume name is too short, names should be at least two alphanumeric characters";
    throw new InvalidParameter(`create ${name}: ${why}`);
  }
  if (!grammar.test(name)) {
    throw new InvalidParameter(
      `create ${name}: "${name}" includes invalid characters for a local volume name, only ` +
        '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
    );
  }
  const given = Object.keys(DriverOpts ?? {});
  const unknown = given.find((option) => !Object.hasOwn(optionNames, option));
  if (unknown !== undefined) throw new InvalidParameter(`create ${name}: invalid option: "${unknown}"`);
  const missing = ["device", "type"].find((option) => given.length > 0 && !DriverOpts?.[option]);
  if (missing !== undefined) throw new InvalidParameter(`create ${name}: missing required option: "${missing}"`);
}

async function writeOptions(directory: string, { DriverOpts: given, Labels }: VolumeCreateBody): Promise<void> {
  if (given && Object.keys(given).length > 0) {
    const stored = { MountType: given.type ?? "", MountOpts: given.o ?? "", MountDevice: given.device ?? "" };
    await writeAtomic(join(directory, "opts.json"), goJSON({ ...stored, Quota: { Size: 0 } }), { mode: 0o600 });
  }
  if (Labels && Object.keys(Labels).length > 0) {
    await writeAtomic(join(directory, "layerkit.json"), goJSON({ Labels }), { mode: 0o600 });
  }
}
