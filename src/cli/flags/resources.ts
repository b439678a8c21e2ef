import type { HostConfig } from "../../engine/index.js";
import { WrongUsage } from "../failure.js";
import { type Flag, word } from "./flag.js";
import { billionths, bytes, bytesOrNone, integer, splitAt } from "./values.js";

/** What a container may use of its host, and when it is started again: can be changed while it runs. */
export const resourceFlags: readonly Flag<HostConfig>[] = [
  word("-m, --memory <bytes>", "memory it may use, as 64m", (host, text) => {
    host.Memory = bytes(text, "--memory");
  }),
  word("--memory-reservation <bytes>", "memory it is held to when memory is short", (host, text) => {
    host.MemoryReservation = bytes(text, "--memory-reservation");
  }),
  word("--memory-swap <bytes>", "memory and swap it may use together; -1: any", (host, text) => {
    host.MemorySwap = bytesOrNone(text, "--memory-swap");
  }),
  word("--cpus <n>", "processors it may use, as 1.5", (host, text) => {
    host.NanoCpus = billionths(text, "--cpus");
  }),
  word("-c, --cpu-shares <n>", "weight among those that want a processor", (host, text) => {
    host.CpuShares = integer(text, "--cpu-shares");
  }),
  word("--cpu-period <us>", "length of the period of --cpu-quota", (host, text) => {
    host.CpuPeriod = integer(text, "--cpu-period");
  }),
  word("--cpu-quota <us>", "processor time in each period", (host, text) => {
    host.CpuQuota = integer(text, "--cpu-quota");
  }),
  word("--cpuset-cpus <list>", "processors to run on, as 0-2,4", (host, text) => {
    host.CpusetCpus = text;
  }),
  word("--cpuset-mems <list>", "memory nodes to use", (host, text) => {
    host.CpusetMems = text;
  }),
  word("--blkio-weight <n>", "weight among those that read and write disks, 10 to 1000", (host, text) => {
    host.BlkioWeight = integer(text, "--blkio-weight");
  }),
  word("--pids-limit <n>", "processes it may have; -1: any", (host, text) => {
    host.PidsLimit = integer(text, "--pids-limit");
  }),
  word("--restart <policy>", "no, on-failure[:n], always or unless-stopped", (host, text) => {
    host.RestartPolicy = restartPolicy(text);
  }),
];

function restartPolicy(text: string): { Name: string; MaximumRetryCount: number } {
  const [Name, count] = splitAt(text, ":");
  if (count !== "" && !/^\d+$/.test(count)) throw new WrongUsage(`--restart ${text}: want a number after the colon`);
  return { Name, MaximumRetryCount: Number(count) };
}
