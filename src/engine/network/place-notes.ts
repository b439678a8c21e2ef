import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isErrno } from "../../spec/index.js";
import type { StoredNetworks } from "../container/stored.js";

const suffix = ".json";

/** Files that tell which containers have a place on the bridge, or are being given one: of this boot, so not synced. */
export class PlaceNotes {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Whole or not at all. A supervisor that ends may just have removed the directory, since it was empty. */
  async write(id: string, settings: StoredNetworks): Promise<void> {
    const file = this.#file(id);
    for (;;) {
      await mkdir(this.#directory, { recursive: true, mode: 0o711 });
      try {
        await writeFile(`${file}.new`, JSON.stringify(settings), { mode: 0o600 });
        return await rename(`${file}.new`, file);
      } catch (error) {
        if (!isErrno(error, "ENOENT")) throw error;
      }
    }
  }

  async remove(id: string): Promise<void> {
    await rm(this.#file(id), { force: true });
  }

  async read(id: string): Promise<StoredNetworks | undefined> {
    try {
      return JSON.parse(await readFile(this.#file(id), "utf8")) as StoredNetworks;
    } catch (error) {
      if (isErrno(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  /** Ids of containers. What a crash has left half written goes. */
  async list(): Promise<string[]> {
    const names = await readdir(this.#directory).catch((error) => {
      if (isErrno(error, "ENOENT")) return [];
      throw error;
    });
    for (const name of names) if (name.endsWith(".new")) await rm(join(this.#directory, name), { force: true });
    return names.flatMap((name) => (name.endsWith(suffix) ? [name.slice(0, -suffix.length)] : []));
  }

  #file(id: string): string {
    return join(this.#directory, id + suffix);
  }
}
