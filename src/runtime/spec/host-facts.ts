import { existsSync, readFileSync } from "node:fs";
import os from "node:os";
import { type AppArmor, findAppArmor } from "./apparmor.js";
import { knownCapabilities } from "./capabilities.js";

/** What a spec depends on of the machine it is for. */
export interface HostFacts {
  /** Control groups are those of version 2 alone; otherwise of version 1, or both (hybrid). */
  readonly cgroup2: boolean;
  /** Those a container can be given: the kernel has them, and we may pass them on. In the kernel's order. */
  readonly capabilities: readonly string[];
  readonly seccomp: boolean;
  /** Where the kernel has it. */
  readonly apparmor: AppArmor | undefined;
  /** Major and minor. */
  readonly kernel: readonly [number, number];
  /** As Node names it: `x64`, `arm64`. */
  readonly arch: string;
  /** Whether the kernel has this setting: `net.ipv4.ping_group_range`. */
  hasSysctl(name: string): boolean;
}

/** Those of this machine. They are read once. */
export function hostFacts(): HostFacts {
  known ??= read();
  return known;
}

let known: HostFacts | undefined;

function read(): HostFacts {
  const status = readFileSync("/proc/self/status", "utf8");
  const [major = 0, minor = 0] = os.release().split(".").map(Number);
  return {
    cgroup2: existsSync("/sys/fs/cgroup/cgroup.controllers"),
    capabilities: passable(status),
    seccomp: /^Seccomp:/m.test(status),
    apparmor: findAppArmor(readOrEmpty("/sys/module/apparmor/parameters/enabled").startsWith("Y")),
    kernel: [major, minor],
    arch: process.arch,
    hasSysctl: (name) => existsSync(`/proc/sys/${name.replaceAll(".", "/")}`),
  };
}

/** The capabilities in our own bounding set: nobody can give what is not there. */
function passable(status: string): string[] {
  const bits = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return knownCapabilities.filter((_, i) => (bits >> BigInt(i)) & 1n);
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
