import { readFileSync } from "node:fs";
import type { HostConfig, MountRequest } from "../../engine/index.js";
import { InvalidParameter, messageOf } from "../../spec/index.js";
import { WrongUsage } from "../failure.js";
import { type Flag, text, textAs, texts, textsAs, words, yes } from "./flag.js";
import { mountRequest } from "./mount.js";
import { bytes, integer, pairs, splitAt } from "./values.js";

/** What a container sees of its host: files, devices, networks, other processes, rights. */
export const isolationFlags: readonly Flag<HostConfig>[] = [
  textsAs("--mount <key=value,...>", "bind mount, volume or tmpfs", "Mounts", mounts),
  textsAs("--tmpfs <dir[:options]>", "file system in memory", "Tmpfs", tmpfs),
  texts("--volumes-from <container[:options]>", "mounts of another container", "VolumesFrom"),
  text("--volume-driver <name>", "driver of the volumes", "VolumeDriver"),
  yes("--read-only", "mount its root file system read-only", "ReadonlyRootfs"),
  textsAs("--storage-opt <key=value>", "storage option of its writable layer", "StorageOpt", pairs),
  textAs("--shm-size <bytes>", "size of /dev/shm, as 64m", "ShmSize", bytes),
  textsAs("--device <host[:inside[:rwm]]>", "device of the host", "Devices", devices),
  texts("--device-cgroup-rule <rule>", "rule for devices, as c 1:3 rwm", "DeviceCgroupRules"),
  text("--network <name>", "network to join: bridge, none, host, container:NAME", "NetworkMode"),
  text("--net <name>", "the same as --network", "NetworkMode"),
  yes("-P, --publish-all", "ports of the host for all that are exposed", "PublishAllPorts"),
  textAs("--gpus <n>", "graphics processors: all, or how many", "DeviceRequests", gpus),
  texts("--dns <address>", "name server", "Dns"),
  texts("--dns-search <domain>", "domain to look for names in", "DnsSearch"),
  texts("--dns-option <option>", "option of the resolver", "DnsOptions"),
  textsAs("--add-host <name:address>", "line of /etc/hosts", "ExtraHosts", extraHosts),
  text("--pid <mode>", "processes it sees: host or container:NAME", "PidMode"),
  text("--ipc <mode>", "shared memory: none, private, shareable, host or container:NAME", "IpcMode"),
  text("--uts <mode>", "host name of the host: host", "UTSMode"),
  text("--userns <mode>", "users: host", "UsernsMode"),
  text("--cgroupns <mode>", "cgroups it sees: host or private", "CgroupnsMode"),
  text("--cgroup-parent <path>", "cgroup to put it in", "CgroupParent"),
  yes("--privileged", "give it all rights", "Privileged"),
  textsAs("--cap-add <capability>", "right to give", "CapAdd", capabilities),
  textsAs("--cap-drop <capability>", "right to take", "CapDrop", capabilities),
  words("--security-opt <option>", "as seccomp=FILE, no-new-privileges, apparmor=PROFILE", securityOptions),
  textsAs("--sysctl <key=value>", "kernel parameter inside", "Sysctls", pairs),
  textsAs("--ulimit <name=soft[:hard]>", "limit of a process, as nofile=1024", "Ulimits", ulimits),
  textAs("--memory-swappiness <n>", "how readily it is swapped out, 0 to 100", "MemorySwappiness", integer),
  yes("--oom-kill-disable", "do not kill it for want of memory", "OomKillDisable"),
  textAs("--oom-score-adj <n>", "how readily it is killed for want of memory, -1000 to 1000", "OomScoreAdj", integer),
];

function mounts(given: readonly string[]): MountRequest[] {
  return given.map(mountRequest);
}

function gpus(text: string, option: string): object[] {
  return [{ Driver: "", Count: text === "all" ? -1 : integer(text, option), Capabilities: [["gpu"]] }];
}

function tmpfs(mounts: readonly string[]): Record<string, string> {
  return Object.fromEntries(mounts.map((mount) => splitAt(mount, ":")));
}

function extraHosts(given: readonly string[]): string[] {
  return given.map((host) => splitAt(host, host.includes("=") ? "=" : ":").join(":"));
}

function capabilities(names: readonly string[]): string[] {
  const upper = names.map((name) => name.toUpperCase());
  return upper.map((name) => (name === "ALL" || name.startsWith("CAP_") ? name : `CAP_${name}`));
}

type Device = NonNullable<HostConfig["Devices"]>[number];
type Ulimit = NonNullable<HostConfig["Ulimits"]>[number];

function devices(given: readonly string[]): Device[] {
  return given.map(device);
}

function device(text: string): Device {
  const [PathOnHost = "", second, third] = text.split(":");
  const isMode = third === undefined && second !== undefined && /^[rwm]{1,3}$/.test(second);
  const CgroupPermissions = isMode ? second : (third ?? "rwm");
  return { PathOnHost, PathInContainer: isMode ? PathOnHost : (second ?? PathOnHost), CgroupPermissions };
}

function ulimits(given: readonly string[]): Ulimit[] {
  return given.map(ulimit);
}

function ulimit(text: string): Ulimit {
  const [, Name, soft, hard = soft] = /^(\w+)=(-?\d+)(?::(-?\d+))?$/.exec(text) ?? [];
  if (Name === undefined) throw new WrongUsage(`--ulimit ${text}: want NAME=SOFT[:HARD]`);
  return { Name, Soft: Number(soft), Hard: Number(hard) };
}

/** A seccomp profile is read here: the daemon may not see the file. */
function securityOptions(host: HostConfig, options: readonly string[]): void {
  if (options.includes("systempaths=unconfined")) [host.MaskedPaths, host.ReadonlyPaths] = [[], []];
  host.SecurityOpt = options
    .filter((option) => option !== "systempaths=unconfined")
    .map((option) => {
      const [key, value] = splitAt(option, option.includes("=") ? "=" : ":");
      const isFile = key === "seccomp" && !["unconfined", "builtin", ""].includes(value);
      return isFile ? `seccomp=${profileIn(value)}` : option;
    });
}

function profileIn(file: string): string {
  try {
    return JSON.stringify(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    throw new InvalidParameter(`--security-opt seccomp=${file}: ${messageOf(error)}`);
  }
}
