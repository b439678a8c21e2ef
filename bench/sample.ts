import { readFile } from "node:fs/promises";
import { peakWhile } from "./memory.js";

/** What a work has cost. */
export interface Sample {
  readonly ms: number;
  /** Seconds of all processors, user and system, whoever spent them. */
  readonly cpu: number;
  /** Most memory that the daemon's processes, and what they start, held meanwhile, in bytes; undefined for what has no daemon. */
  readonly peak: number | undefined;
}

/** Does the work. @param pids the daemon's processes */
export async function sampled(pids: readonly number[], work: () => Promise<void>): Promise<Sample> {
  const cpu = await cpuSeconds();
  const start = performance.now();
  let ms = 0;
  const timed = () => work().finally(() => (ms = performance.now() - start));
  const peak = pids.length === 0 ? await timed().then(() => undefined) : await peakWhile(pids, timed);
  return { ms, cpu: (await cpuSeconds()) - cpu, peak };
}

const ticksPerSecond = 100;

/** @see proc(5), /proc/stat: user, nice, system, idle, iowait, irq, softirq */
async function cpuSeconds(): Promise<number> {
  const [line = ""] = (await readFile("/proc/stat", "utf8")).split("\n");
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.trim().split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq) / ticksPerSecond;
}
