import { isErrno, Undo } from "../../spec/index.js";
import { MS, mount } from "../../sys/index.js";
import type { ContainerParts } from "../container/container-parts.js";
import type { Container } from "../container/container-store.js";
import type { Held } from "./lives.js";
import { sharedMemory } from "./shared-memory.js";

/** A container's tree and shared memory, mounted until disposed. What is still mounted from before is taken over. */
export interface HeldTree extends Held {
  /** Directory of the host for /dev/shm. */
  readonly shm?: string;
}

export async function hold({ layers, store }: ContainerParts, container: Container): Promise<HeldTree> {
  const undo = new Undo();
  await using failed = new Undo();
  failed.defer(() => undo[Symbol.asyncDispose]());
  const tree = await layers.rw.mount(container.stored.ID);
  undo.defer(() => tree[Symbol.asyncDispose]());
  keepPrivate(tree.path);
  const shm = await sharedMemory(store, container);
  if (shm) undo.defer(() => shm[Symbol.asyncDispose]());
  failed.done();
  const { mountID } = layers.rw.get(container.stored.ID);
  return {
    mountID,
    rootfs: tree.path,
    ...(shm && { shm: shm.path }),
    [Symbol.asyncDispose]: () => undo[Symbol.asyncDispose](),
  };
}

/** What is mounted in the tree here, for `docker cp`, is not mounted in the container, nor the other way round. */
function keepPrivate(path: string): void {
  try {
    mount("none", path, null, MS.PRIVATE, null);
  } catch (error) {
    // A driver without mounts.
    if (!isErrno(error, "EINVAL")) throw error;
  }
}
