import { posix } from "node:path";
import type { HostConfig, Integer } from "../../spec/index.js";
import { blockIO } from "./block-io.js";
import type { HostFacts } from "./host-facts.js";
import type { OCIDeviceRule, OCIResources } from "./oci.js";
import type { ContainerSetup } from "./setup.js";

/** A container's control group, from the top of the hierarchy. */
export function cgroupsPath({ id, host, defaults }: ContainerSetup): string {
  return posix.join(host.CgroupParent || defaults?.cgroupParent || "/docker", id);
}

/**
 * What a container may use. Limits of kernel memory alone are not passed on: runtimes do not set them any more.
 *
 * @throws RuntimeFailure: a block device that is not there
 */
export function resourcesOf(host: HostConfig, devices: readonly OCIDeviceRule[], facts: HostFacts): OCIResources {
  return {
    devices,
    memory: memory(host, facts),
    cpu: cpu(host),
    ...(host.PidsLimit != null && { pids: { limit: isZero(host.PidsLimit) ? -1 : host.PidsLimit } }),
    blockIO: blockIO(host),
  };
}

function memory(host: HostConfig, { cgroup2 }: HostFacts): OCIResources["memory"] {
  const { Memory, MemoryReservation, MemorySwap, MemorySwappiness, OomKillDisable } = host;
  return {
    ...(isPositive(Memory) && { limit: Memory }),
    ...(isPositive(MemoryReservation) && { reservation: MemoryReservation }),
    ...(isPositive(MemorySwap) && { swap: MemorySwap }),
    // Control groups of version 2 have neither.
    ...(!cgroup2 && MemorySwappiness != null && Number(MemorySwappiness) >= 0 && { swappiness: MemorySwappiness }),
    ...(!cgroup2 && OomKillDisable != null && { disableOOMKiller: OomKillDisable }),
  };
}

const periodUs = 100_000;

function cpu(host: HostConfig): OCIResources["cpu"] {
  const { CpuShares, NanoCpus, CpuPeriod, CpuQuota, CpuRealtimePeriod, CpuRealtimeRuntime } = host;
  return {
    shares: CpuShares ?? 0,
    ...(isPositive(NanoCpus) && { quota: Math.trunc((Number(NanoCpus) * periodUs) / 1e9), period: periodUs }),
    ...(isSet(CpuPeriod) && { period: CpuPeriod }),
    ...(isSet(CpuQuota) && { quota: CpuQuota }),
    ...(isSet(CpuRealtimePeriod) && { realtimePeriod: CpuRealtimePeriod }),
    ...(isSet(CpuRealtimeRuntime) && { realtimeRuntime: CpuRealtimeRuntime }),
    ...(host.CpusetCpus && { cpus: host.CpusetCpus }),
    ...(host.CpusetMems && { mems: host.CpusetMems }),
  };
}

function isPositive(value: Integer | undefined): value is Integer {
  return value !== undefined && Number(digits(value)) > 0;
}

function isSet(value: Integer | undefined): value is Integer {
  return value !== undefined && !isZero(value);
}

function isZero(value: Integer): boolean {
  return Number(digits(value)) === 0;
}

function digits(value: Integer): number | string {
  return typeof value === "number" ? value : value.digits;
}
