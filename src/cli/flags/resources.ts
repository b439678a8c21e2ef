import type { HostConfig } from "../../engine/index.js";
import { WrongUsage } from "../failure.js";
import { type Flag, text, textAs } from "./flag.js";
import { billionths, bytes, bytesOrNone, integer, splitAt } from "./values.js";

/** What a container may use of its host, and when it is started again: can be changed while it runs. */
export const resourceFlags: readonly Flag<HostConfig>[] = [
  textAs("-m, --memory <bytes>", "memory it may use, as 64m", "Memory", bytes),
  textAs("--memory-reservation <bytes>", "memory it is held to when memory is short", "MemoryReservation", bytes),
  textAs("--memory-swap <bytes>", "memory and swap it may use together; -1: any", "MemorySwap", bytesOrNone),
  textAs("--cpus <n>", "processors it may use, as 1.5", "NanoCpus", billionths),
  textAs("-c, --cpu-shares <n>", "weight among those that want a processor", "CpuShares", integer),
  textAs("--cpu-period <us>", "length of the period of --cpu-quota", "CpuPeriod", integer),
  textAs("--cpu-quota <us>", "processor time in each period", "CpuQuota", integer),
  text("--cpuset-cpus <list>", "processors to run on, as 0-2,4", "CpusetCpus"),
  text("--cpuset-mems <list>", "memory nodes to use", "CpusetMems"),
  textAs("--blkio-weight <n>", "weight among those that read and write disks, 10 to 1000", "BlkioWeight", integer),
  textAs("--pids-limit <n>", "processes it may have; -1: any", "PidsLimit", integer),
  textAs("--restart <policy>", "no, on-failure[:n], always or unless-stopped", "RestartPolicy", restartPolicy),
];

function restartPolicy(text: string): { Name: string; MaximumRetryCount: number } {
  const [Name, count] = splitAt(text, ":");
  if (count !== "" && !/^\d+$/.test(count)) throw new WrongUsage(`--restart ${text}: want a number after the colon`);
  return { Name, MaximumRetryCount: Number(count) };
}
