import { statSync } from "node:fs";
import { join } from "node:path";
import { ensureDirectory } from "../../disk/index.js";
import { isErrno } from "../../spec/index.js";
import { MNT, MS, mount, umount } from "../../sys/index.js";
import type { Container, ContainerStore } from "../container/container-store.js";
import { containerIn } from "./shared-namespaces.js";

/** /dev/shm of a container, where it is a directory of the host. */
export interface SharedMemory extends AsyncDisposable {
  readonly path: string;
}

const nothing = async () => undefined;

/**
 * What is bound at a container's /dev/shm: of a shareable one a tmpfs of its own below its directory, which stays
 * mounted while it runs; else the host's or that of another container. Undefined: the runtime makes one.
 */
export async function sharedMemory(
  store: ContainerStore,
  { stored, host }: Container,
): Promise<SharedMemory | undefined> {
  const mode = host.IpcMode ?? "";
  if (mode === "host") return { path: "/dev/shm", [Symbol.asyncDispose]: nothing };
  const other = containerIn(mode, store);
  if (other) return { path: other.stored.ShmPath || "/dev/shm", [Symbol.asyncDispose]: nothing };
  // Containers of before there were modes have none written down.
  if (mode !== "shareable" && mode !== "") return undefined;
  const path = join(store.pathOf(stored.ID), "mounts", "shm");
  await ensureDirectory(path, 0o700);
  if (!isMount(path)) {
    const size = host.ShmSize || 64 * 1024 * 1024;
    mount("shm", path, "tmpfs", MS.NOSUID | MS.NODEV | MS.NOEXEC, `mode=1777,size=${size}`);
  }
  return { path, [Symbol.asyncDispose]: async () => unmounted(path) };
}

function isMount(path: string): boolean {
  return statSync(path).dev !== statSync(join(path, "..")).dev;
}

function unmounted(path: string): void {
  try {
    umount(path, MNT.DETACH);
  } catch (error) {
    if (!isErrno(error, "EINVAL", "ENOENT")) throw error;
  }
}
