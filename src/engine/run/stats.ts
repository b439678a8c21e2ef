import { setTimeout as delay } from "node:timers/promises";
import { nowNs, rfc3339, zeroTime } from "../../spec/index.js";
import type { StatsSample } from "../api-process.js";
import type { ContainerParts } from "../container/container-parts.js";
import type { StatsOptions } from "../processes.js";
import { cgroupsOf } from "./cgroups.js";
import { noUsage, trafficOf, type Usage, usageOf } from "./usage.js";

interface Sample {
  readonly read: string;
  readonly usage: Usage;
  readonly networks: Record<string, object> | undefined;
}

const notRunning: Sample = { read: zeroTime, usage: noUsage, networks: undefined };
const betweenMs = 1000;

/** @see Processes.stats */
export async function statsOf(
  parts: ContainerParts,
  name: string,
  options: StatsOptions = {},
): Promise<AsyncIterable<StatsSample>> {
  return samples(parts, parts.store.find(name).stored.ID, options);
}

async function* samples(
  { store }: ContainerParts,
  id: string,
  { stream = false, oneShot = false, signal }: StatsOptions,
): AsyncGenerator<StatsSample, void> {
  let last = notRunning;
  for (let first = true; ; first = false) {
    const container = store.byID(id)?.stored;
    if (!container || signal?.aborted) return;
    const { Running, Pid } = container.State;
    const now = Running && Pid > 0 ? sampleOf(Pid) : notRunning;
    // One alone is told when there is something to compare it with.
    const isWhole = stream || oneShot || !first || now === notRunning;
    if (isWhole) yield shown(container.Name, id, now, last);
    if (isWhole && !stream) return;
    last = now;
    await delay(betweenMs, undefined, { ...(signal && { signal }) }).catch(() => {});
  }
}

function sampleOf(pid: number): Sample {
  return { read: rfc3339(nowNs()), usage: usageOf(cgroupsOf(pid)), networks: trafficOf(pid) };
}

function shown(name: string, id: string, { read, usage, networks }: Sample, last: Sample): StatsSample {
  const { memory_stats, ...before } = usage;
  const common = { precpu_stats: last.usage.cpu_stats, memory_stats, name, id, ...(networks && { networks }) };
  return { read, preread: last.read, ...before, ...common };
}
