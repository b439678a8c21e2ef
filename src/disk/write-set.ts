import { closeSync, fchmodSync, openSync, writeFileSync } from "node:fs";
import { chmod, type FileHandle, mkdir, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { naming } from "./naming.js";
import { removeTree } from "./remove-tree.js";
import { renameAll } from "./rename-all.js";
import { syncDirectory, syncFile } from "./sync.js";
import { randomDigits } from "./temporary.js";

export interface CommitOptions {
  /** Permission bits of the directory; 0700 when left out. */
  readonly mode?: number;
  /** The caller has made the content outlive a power cut already, by `syncFileSystem`. */
  readonly synced?: boolean;
}

/**
 * A directory of files that gets its name only when all of them are whole: written under `tmp`, then moved. Disposed
 * without `commit`, it is removed; a process killed meanwhile leaves a `write-set-…` in `tmp`, which is no store's.
 */
export class WriteSet implements AsyncDisposable {
  /** Where the files are until `commit`; others may write there too, a worker thread for one. */
  readonly path: string;
  #files = new Set<FileHandle>();
  #over = false;

  /**
   * Begins a set under directory `tmp`, which has to be on the file system of the later name.
   *
   * @param name what follows `write-set-`: tells the sweep after a crash what the set was about
   */
  static async open(tmp: string, name = randomDigits()): Promise<WriteSet> {
    const path = join(tmp, `write-set-${name}`);
    await mkdir(path, { mode: 0o700 });
    return new WriteSet(path);
  }

  private constructor(path: string) {
    this.path = path;
  }

  /** Writes a whole file. `mode` is not subject to the umask. */
  async write(name: string, data: Uint8Array | string, mode = 0o644): Promise<void> {
    const path = join(this.path, name);
    // Small files, and many: another thread would take longer to be told of each.
    const fd = openSync(path, "wx", 0o600);
    try {
      fchmodSync(fd, mode);
      await naming(path, async () => writeFileSync(fd, data));
    } finally {
      closeSync(fd);
    }
  }

  /** Makes a file to be written piece by piece; `close` it, or leave that to `commit`. */
  async create(name: string, mode = 0o644): Promise<FileHandle> {
    const handle = await open(join(this.path, name), "wx", 0o600);
    this.#files.add(handle);
    await handle.chmod(mode);
    return handle;
  }

  async close(handle: FileHandle): Promise<void> {
    this.#files.delete(handle);
    await handle.close();
  }

  /**
   * Gives the directory its name: it is there whole, or not at all, also after a power cut, and stays
   * once this resolves. @throws AlreadyExists: there is something at `path`; the set is as before
   */
  async commit(path: string, { mode = 0o700, synced = false }: CommitOptions = {}): Promise<void> {
    for (const handle of this.#files) await this.close(handle);
    if (mode !== 0o700) await chmod(this.path, mode);
    if (!synced) await this.#sync();
    await renameAll([[this.path, path]]);
    this.#over = true;
  }

  async #sync(): Promise<void> {
    for (const name of await readdir(this.path)) await syncFile(join(this.path, name));
    await syncDirectory(this.path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const handle of this.#files) await this.close(handle);
    if (!this.#over) await removeTree(this.path);
    this.#over = true;
  }
}
