import os from "node:os";
import { join } from "node:path";
import { type Cgroups, linesOf, numberIn, tableIn, textOf } from "./cgroups.js";

/** What processes use, by the kernel's count; keys and their order as dockerd 20.10 has them. Times in nanoseconds. */
export interface Usage {
  readonly pids_stats: object;
  readonly blkio_stats: object;
  readonly num_procs: 0;
  readonly storage_stats: object;
  readonly cpu_stats: object;
  readonly memory_stats: object;
}

/** What a container uses that does not run. */
export const noUsage: Usage = {
  pids_stats: {},
  blkio_stats: blkio(null),
  num_procs: 0,
  storage_stats: {},
  cpu_stats: {
    cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
    throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
  },
  memory_stats: {},
};

/** What the processes of these groups use now. */
export function usageOf(cgroups: Cgroups): Usage {
  const isV1 = cgroups.has("memory") || cgroups.has("cpuacct");
  const own = (name: string) => cgroups.get(name) ?? (isV1 ? "/nonexistent" : (cgroups.get("") ?? "/nonexistent"));
  return {
    pids_stats: pids(own("pids")),
    blkio_stats: isV1 ? blkioV1(own("blkio")) : blkioV2(own("io")),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: isV1 ? cpuV1(own("cpuacct"), own("cpu")) : cpuV2(own("cpu")),
    memory_stats: isV1 ? memoryV1(own("memory")) : memoryV2(own("memory")),
  };
}

function pids(group: string): object {
  const limit = numberIn(join(group, "pids.max"));
  return { current: numberIn(join(group, "pids.current")) ?? 0, ...(limit && { limit }) };
}

/** What the whole machine has used since its start, and its processors. */
function machine(): object {
  const [, ...ticks] = (linesOf("/proc/stat")[0] ?? "").split(/\s+/).map(Number);
  const used = ticks.slice(0, 8).reduce((sum, each) => sum + each, 0);
  return { system_cpu_usage: used * tick, online_cpus: os.availableParallelism() };
}

/** Nanoseconds of what the kernel counts processor time in for `/proc`. */
const tick = 10_000_000;

function cpuV1(cpuacct: string, cpu: string): object {
  const { user = 0, system = 0 } = tableIn(join(cpuacct, "cpuacct.stat"));
  const { nr_periods = 0, nr_throttled = 0, throttled_time = 0 } = tableIn(join(cpu, "cpu.stat"));
  const percpu = textOf(join(cpuacct, "cpuacct.usage_percpu")).trim().split(" ").filter(Boolean).map(Number);
  const cpu_usage = {
    total_usage: numberIn(join(cpuacct, "cpuacct.usage")) ?? 0,
    percpu_usage: percpu,
    usage_in_kernelmode: system * tick,
    usage_in_usermode: user * tick,
  };
  const throttling_data = { periods: nr_periods, throttled_periods: nr_throttled, throttled_time };
  return { cpu_usage, ...machine(), throttling_data };
}

function cpuV2(group: string): object {
  const stat = tableIn(join(group, "cpu.stat"));
  const ns = (name: string) => (stat[name] ?? 0) * 1000;
  const cpu_usage = {
    total_usage: ns("usage_usec"),
    usage_in_kernelmode: ns("system_usec"),
    usage_in_usermode: ns("user_usec"),
  };
  const { nr_periods: periods = 0, nr_throttled: throttled_periods = 0 } = stat;
  return {
    cpu_usage,
    ...machine(),
    throttling_data: { periods, throttled_periods, throttled_time: ns("throttled_usec") },
  };
}

function memoryV1(group: string): object {
  const max_usage = numberIn(join(group, "memory.max_usage_in_bytes"));
  const failcnt = numberIn(join(group, "memory.failcnt"));
  return {
    usage: numberIn(join(group, "memory.usage_in_bytes")) ?? 0,
    ...(max_usage !== undefined && { max_usage }),
    stats: tableIn(join(group, "memory.stat")),
    ...(failcnt && { failcnt }),
    limit: memoryLimit(numberIn(join(group, "memory.limit_in_bytes"))),
  };
}

function memoryV2(group: string): object {
  return {
    usage: numberIn(join(group, "memory.current")) ?? 0,
    stats: tableIn(join(group, "memory.stat")),
    limit: memoryLimit(numberIn(join(group, "memory.max"))),
  };
}

/** None, or a larger one than the machine's: that of the machine. */
function memoryLimit(limit = Number.POSITIVE_INFINITY): number {
  return Math.min(limit, os.totalmem());
}

interface BlockCount {
  readonly major: number;
  readonly minor: number;
  readonly op: string;
  readonly value: number;
}

function blkio(bytes: readonly BlockCount[] | null, counts = bytes, rest: readonly BlockCount[] | null = null): object {
  return {
    io_service_bytes_recursive: bytes,
    io_serviced_recursive: counts,
    ...{ io_queue_recursive: rest, io_service_time_recursive: rest, io_wait_time_recursive: rest },
    ...{ io_merged_recursive: rest, io_time_recursive: rest, sectors_recursive: rest },
  };
}

function blkioV1(group: string): object {
  const counts = (file: string) =>
    linesOf(join(group, file)).flatMap((line): BlockCount[] => {
      const [, major, minor, op = "", value] = /^(\d+):(\d+) (\S+) (\d+)$/.exec(line) ?? [];
      return major === undefined ? [] : [{ major: Number(major), minor: Number(minor), op, value: Number(value) }];
    });
  const bytes = counts("blkio.throttle.io_service_bytes_recursive");
  return blkio(bytes, counts("blkio.throttle.io_serviced_recursive"), []);
}

/** `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0` */
function blkioV2(group: string): object {
  const bytes: BlockCount[] = [];
  for (const line of linesOf(join(group, "io.stat"))) {
    const [, major, minor, rest = ""] = /^(\d+):(\d+) (.*)$/.exec(line) ?? [];
    for (const [, op, value] of rest.matchAll(/\b([rw])bytes=(\d+)/g)) {
      const what = { major: Number(major), minor: Number(minor), value: Number(value) };
      bytes.push({ ...what, op: op === "r" ? "read" : "write" });
    }
  }
  return blkio(bytes, null);
}

/** Traffic of a process's network interfaces but the loopback, by name. */
export function trafficOf(pid: number): Record<string, object> | undefined {
  const found: Record<string, object> = {};
  for (const line of linesOf(`/proc/${pid}/net/dev`).slice(2)) {
    const [name = "", ...rest] = line.trim().split(/[:\s]+/);
    const n = rest.map(Number);
    if (name === "lo") continue;
    found[name] = {
      ...{ rx_bytes: n[0], rx_packets: n[1], rx_errors: n[2], rx_dropped: n[3] },
      ...{ tx_bytes: n[8], tx_packets: n[9], tx_errors: n[10], tx_dropped: n[11] },
    };
  }
  return Object.keys(found).length > 0 ? found : undefined;
}
