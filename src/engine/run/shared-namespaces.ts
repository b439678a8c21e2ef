import { Conflict } from "../../spec/index.js";
import type { HostConfig } from "../api-container.js";
import type { Container, ContainerStore } from "../container/container-store.js";

const kinds = { net: "network", ipc: "IPC", pid: "PID" } as const;

/**
 * Path of a namespace of a running container, for another to join.
 *
 * @throws NotFound: no such container; Conflict: it does not run, or is about to be started again
 */
export function namespaceOf(store: ContainerStore, name: string, kind: keyof typeof kinds): string {
  const { stored } = store.find(name);
  const { Running, Restarting, Pid } = stored.State;
  if (!Running) throw new Conflict(`cannot join ${kinds[kind]} of a non running container: ${stored.ID}`);
  if (Restarting) {
    throw new Conflict(`Container ${stored.ID} is restarting, wait until the container is running`);
  }
  return `/proc/${Pid}/ns/${kind}`;
}

/** The container that `container:NAME` means; undefined when the mode means none. */
export function containerIn(mode: string | undefined, store: ContainerStore): Container | undefined {
  const name = /^container:(.*)$/s.exec(mode ?? "")?.[1];
  return name === undefined ? undefined : store.find(name);
}

/** Paths of the namespaces that a container's modes name. @throws as `namespaceOf`; Conflict: not to be shared */
export function joined(store: ContainerStore, { IpcMode, PidMode }: HostConfig): { ipc?: string; pid?: string } {
  const ipc = containerIn(IpcMode, store);
  if (ipc && ipc.host.IpcMode === "private") {
    const hint = "(hint: use IpcMode:shareable for the donor container)";
    throw cannotJoin(ipc, `non-shareable IPC ${hint}`);
  }
  if (ipc && !ipc.stored.State.Running) throw cannotJoin(ipc, `container ${ipc.stored.ID} is not running`);
  const pid = containerIn(PidMode, store);
  return {
    ...(ipc && { ipc: namespaceOf(store, ipc.stored.ID, "ipc") }),
    ...(pid && { pid: namespaceOf(store, pid.stored.ID, "pid") }),
  };
}

function cannotJoin({ stored }: Container, why: string): Conflict {
  return new Conflict(`can't join IPC of container ${stored.ID}: ${why}`);
}
