import type { StatsSample } from "../../engine/index.js";
import { shortID } from "../../spec/index.js";
import { binarySize, size } from "./size.js";

interface CPU {
  readonly cpu_usage?: { readonly total_usage?: number };
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
}

/** The parts of a sample that are shown; what a container that does not run has not, is absent. @see engine-api 5.6 */
interface Shown {
  readonly cpu_stats?: CPU;
  readonly precpu_stats?: CPU;
  readonly memory_stats?: {
    readonly usage?: number;
    readonly limit?: number;
    readonly stats?: Readonly<Record<string, number>>;
  };
  readonly networks?: Readonly<Record<string, { readonly rx_bytes: number; readonly tx_bytes: number }>>;
  readonly blkio_stats?: {
    readonly io_service_bytes_recursive?: readonly { readonly op: string; readonly value: number }[] | null;
  };
  readonly pids_stats?: { readonly current?: number };
}

/** A row in the fields of `docker stats --format json`. */
export type StatsRow = ReturnType<typeof statsRow>;

export function statsRow(sample: StatsSample, trunc: boolean) {
  const { name, id } = sample;
  const shown = sample as Shown;
  const { limit = 0 } = shown.memory_stats ?? {};
  const used = memoryUsed(shown);
  const blocks = shown.blkio_stats?.io_service_bytes_recursive ?? [];
  const moved = (first: string) =>
    sum(blocks.filter(({ op }) => op.toLowerCase().startsWith(first)).map(({ value }) => value));
  const networks = Object.values(shown.networks ?? {});
  return {
    BlockIO: `${size(moved("r"))} / ${size(moved("w"))}`,
    CPUPerc: percent(cpuPercent(shown)),
    Container: trunc ? shortID(id) : id,
    ID: trunc ? shortID(id) : id,
    MemPerc: percent(limit > 0 ? (used / limit) * 100 : 0),
    MemUsage: `${binarySize(used)} / ${binarySize(limit)}`,
    Name: name.replace(/^\//, ""),
    NetIO: `${size(sum(networks.map((each) => each.rx_bytes)))} / ${size(sum(networks.map((each) => each.tx_bytes)))}`,
    PIDs: String(shown.pids_stats?.current ?? 0),
  };
}

/** Of one processor; 200 are two. */
function cpuPercent({ cpu_stats: now, precpu_stats: before }: Shown): number {
  const used = (now?.cpu_usage?.total_usage ?? 0) - (before?.cpu_usage?.total_usage ?? 0);
  const passed = (now?.system_cpu_usage ?? 0) - (before?.system_cpu_usage ?? 0);
  return used > 0 && passed > 0 ? (used / passed) * (now?.online_cpus ?? 1) * 100 : 0;
}

/** Without the cache that the kernel gives up first: cgroup v1 and v2 name it differently. */
function memoryUsed({ memory_stats: { usage = 0, stats = {} } = {} }: Shown): number {
  const idle = stats.total_inactive_file ?? stats.inactive_file ?? 0;
  return idle < usage ? usage - idle : usage;
}

function percent(value: number): string {
  return `${value.toFixed(2)}%`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
