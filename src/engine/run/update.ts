import { limitContainer } from "../../runtime/index.js";
import { goJSON, InvalidParameter, messageOf } from "../../spec/index.js";
import type { HostConfig } from "../api-container.js";
import type { UpdateBody } from "../api-process.js";
import { checkConfig } from "../container/check-config.js";
import { type ContainerParts, emitContainer } from "../container/container-parts.js";
import type { Container } from "../container/container-store.js";
import { fullHostConfig } from "../host-config.js";

const changeable = [
  ...["BlkioWeight", "CpuShares", "CpuPeriod", "CpuQuota", "CpusetCpus", "CpusetMems", "Memory", "MemorySwap"],
  ...["MemoryReservation", "KernelMemory", "NanoCpus", "PidsLimit", "CpuRealtimePeriod", "CpuRealtimeRuntime"],
];

/** @see Processes.update */
export async function updateContainer(
  parts: ContainerParts,
  name: string,
  body: UpdateBody,
): Promise<{ Warnings: string[] }> {
  const { store, lives } = parts;
  const { ID: id } = store.find(name).stored;
  await lives.turn(id, async () => {
    const before = store.find(id);
    const container = { ...before, host: changed(before, fullHostConfig(body)) };
    const { Running, Restarting, RemovalInProgress, Dead } = before.stored.State;
    if (RemovalInProgress || Dead) throw cannot(id, 'Container is marked for removal and cannot be "update".');
    if (Running && !Restarting && limitsOf(before) !== limitsOf(container)) await apply(parts, container);
    await store.update(container);
    emitContainer(parts, container, "update");
  });
  return { Warnings: [] };
}

/** The host config with what was given in place of what was there; a policy without a name is none. */
function changed({ stored, host }: Container, given: HostConfig): HostConfig {
  const set = changeable.filter(
    (key) => given[key] !== undefined && given[key] !== null && given[key] !== 0 && given[key] !== "",
  );
  const policy = given.RestartPolicy?.Name ? { RestartPolicy: given.RestartPolicy } : {};
  const after = { ...host, ...Object.fromEntries(set.map((key) => [key, given[key]])), ...policy };
  checkConfig({}, after, { networks: [], runtimes: [host.Runtime ?? ""] });
  if (host.AutoRemove && policy.RestartPolicy) {
    throw cannot(stored.ID, "Restart policy cannot be updated because AutoRemove is enabled for the container");
  }
  if (Number(host.NanoCpus ?? 0) > 0 && (set.includes("CpuQuota") || set.includes("CpuPeriod"))) {
    throw cannot(stored.ID, "Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set");
  }
  const [memory, swap] = [Number(after.Memory ?? 0), Number(after.MemorySwap ?? 0)];
  if (set.includes("Memory") && !set.includes("MemorySwap") && swap > 0 && memory > swap) {
    const why =
      "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time";
    throw cannot(stored.ID, why);
  }
  return after;
}

function limitsOf({ host }: Container): string {
  return goJSON(changeable.map((key) => host[key] ?? null));
}

/** Tells the runtime, which writes the limits of the container that runs. */
async function apply({ runtimePlace }: ContainerParts, { stored, host }: Container): Promise<void> {
  try {
    await limitContainer(runtimePlace, stored.ID, host);
  } catch (error) {
    throw new Error(`Cannot update container ${stored.ID}: ${messageOf(error)}`, { cause: error });
  }
}

function cannot(id: string, why: string): InvalidParameter {
  return new InvalidParameter(`Cannot update container ${id}: ${why}`);
}
