import { readFile, writeFile } from "node:fs/promises";

/** What a work has cost. */
export interface Sample {
  readonly ms: number;
  /** Seconds of all processors, user and system, whoever spent them. */
  readonly cpu: number;
  /** Most memory that the daemon's processes held meanwhile, in bytes; undefined for what has no daemon. */
  readonly peak: number | undefined;
}

/** Does the work. @param pids the daemon's processes */
export async function sampled(pids: readonly number[], work: () => Promise<void>): Promise<Sample> {
  await Promise.all(pids.map(forgetPeak));
  const cpu = await cpuSeconds();
  const start = performance.now();
  await work();
  const ms = performance.now() - start;
  const peaks = await Promise.all(pids.map(peakOf));
  const peak = pids.length === 0 ? undefined : peaks.reduce((sum, each) => sum + each, 0);
  return { ms, cpu: (await cpuSeconds()) - cpu, peak };
}

/** @see proc(5), /proc/PID/clear_refs: 5 sets the peak back to what is held now */
async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, "5").catch(() => {});
}

async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

const ticksPerSecond = 100;

/** @see proc(5), /proc/stat: user, nice, system, idle, iowait, irq, softirq */
async function cpuSeconds(): Promise<number> {
  const [line = ""] = (await readFile("/proc/stat", "utf8")).split("\n");
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.trim().split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq) / ticksPerSecond;
}
