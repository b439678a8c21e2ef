import { mkdir, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { isErrno } from "../../spec/index.js";
import { MNT, umount } from "../../sys/index.js";
import { Threads } from "../../threads/index.js";

/** Network namespaces that are kept by a file, so that they need no process. */
export class NetworkNamespaces implements AsyncDisposable {
  // One thread makes them in turn: for that moment it is in the new one.
  readonly #threads = new Threads<{ path: string }>(new URL("./namespace-worker.js", import.meta.url), 1);

  /** Makes one, with the loopback interface up, and keeps it at `path`, in a directory that is made if need be. */
  async make(path: string): Promise<void> {
    await removeNamespace(path);
    await makeFile(path);
    try {
      await this.#threads.run({ path });
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }

  /** Ends the thread; what was made stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#threads.close();
  }
}

/** In a directory that is made; a supervisor that ends may just have removed it, since it was empty. */
async function makeFile(path: string): Promise<void> {
  for (;;) {
    await mkdir(dirname(path), { recursive: true, mode: 0o711 });
    try {
      await (await open(path, "wx", 0o444)).close();
      return;
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
    }
  }
}

/** Gives up the namespace kept at `path`; it goes when no process is in it. An absent one is no error. */
export async function removeNamespace(path: string): Promise<void> {
  try {
    umount(path, MNT.DETACH);
  } catch (error) {
    // Not mounted: a file that a crash has left.
    if (!isErrno(error, "ENOENT", "EINVAL")) throw error;
  }
  await rm(path, { force: true });
}
