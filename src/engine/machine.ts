import { existsSync, readFileSync } from "node:fs";
import os from "node:os";
import { osRelease } from "../driver/index.js";
import { hostFacts } from "../runtime/index.js";

/** Whether control groups are those of version 2. */
export function hasCgroup2(): boolean {
  return existsSync("/sys/fs/cgroup/cgroup.controllers");
}

/** What of this machine `docker info` shows. */
export function machineInfo(): Record<string, unknown> {
  const release = osRelease();
  const has = controllers();
  const memory = has("memory");
  return {
    MemoryLimit: memory,
    SwapLimit: memory,
    KernelMemory: false,
    CpuCfsPeriod: has("cpu"),
    CpuCfsQuota: has("cpu"),
    CPUShares: has("cpu"),
    CPUSet: has("cpuset"),
    PidsLimit: has("pids"),
    OomKillDisable: memory && !hasCgroup2(),
    IPv4Forwarding: kernelFlag("/proc/sys/net/ipv4/ip_forward"),
    BridgeNfIptables: kernelFlag("/proc/sys/net/bridge/bridge-nf-call-iptables"),
    BridgeNfIp6tables: kernelFlag("/proc/sys/net/bridge/bridge-nf-call-ip6tables"),
    CgroupVersion: hasCgroup2() ? "2" : "1",
    KernelVersion: os.release(),
    OperatingSystem: release.get("PRETTY_NAME") ?? "Linux",
    OSVersion: release.get("VERSION_ID") ?? "",
    OSType: "linux",
    Architecture: os.machine(),
    NCPU: os.availableParallelism(),
    MemTotal: os.totalmem(),
    Name: os.hostname(),
    SecurityOptions: securityOptions(),
  };
}

/** What confines containers that ask for nothing. */
function securityOptions(): string[] {
  const { apparmor, seccomp, cgroup2 } = hostFacts();
  return [
    ...(apparmor ? ["name=apparmor"] : []),
    ...(seccomp ? ["name=seccomp,profile=default"] : []),
    ...(cgroup2 ? ["name=cgroupns"] : []),
  ];
}

function controllers(): (name: string) => boolean {
  const unified = readOrEmpty("/sys/fs/cgroup/cgroup.controllers").trim().split(" ");
  return (name) => (hasCgroup2() ? unified.includes(name) : existsSync(`/sys/fs/cgroup/${name}`));
}

function kernelFlag(path: string): boolean {
  return readOrEmpty(path).trim() === "1";
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
