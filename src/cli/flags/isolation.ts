import { readFileSync } from "node:fs";
import type { HostConfig } from "../../engine/index.js";
import { InvalidParameter, messageOf } from "../../spec/index.js";
import { WrongUsage } from "../failure.js";
import type { CreateRequest } from "./create-body.js";
import { type Flag, flag, word, words } from "./flag.js";
import { mountRequest } from "./mount.js";
import { exposedPorts, portBindings } from "./ports.js";
import { bytes, integer, pairs, splitAt } from "./values.js";

/** What a container sees of its host: files, devices, networks, other processes, rights. */
export const isolationFlags: readonly Flag<CreateRequest>[] = [
  words("-v, --volume <[source:]target[:options]>", "bind mount or volume", (body, volumes) => {
    body.HostConfig.Binds = volumes.filter((volume) => volume.includes(":"));
    body.Volumes = Object.fromEntries(volumes.filter((volume) => !volume.includes(":")).map((path) => [path, {}]));
  }),
  words("--mount <key=value,...>", "bind mount, volume or tmpfs", (body, mounts) => {
    body.HostConfig.Mounts = mounts.map(mountRequest);
  }),
  words("--tmpfs <dir[:options]>", "file system in memory", (body, mounts) => {
    body.HostConfig.Tmpfs = Object.fromEntries(mounts.map((mount) => splitAt(mount, ":")));
  }),
  words("--volumes-from <container[:options]>", "mounts of another container", (body, names) => {
    body.HostConfig.VolumesFrom = names;
  }),
  word("--volume-driver <name>", "driver of the volumes", (body, text) => {
    body.HostConfig.VolumeDriver = text;
  }),
  flag("--read-only", "mount its root file system read-only", (body) => {
    body.HostConfig.ReadonlyRootfs = true;
  }),
  words("--storage-opt <key=value>", "storage option of its writable layer", (body, given) => {
    body.HostConfig.StorageOpt = pairs(given, "--storage-opt");
  }),
  word("--shm-size <bytes>", "size of /dev/shm, as 64m", (body, text) => {
    body.HostConfig.ShmSize = bytes(text, "--shm-size");
  }),
  words("--device <host[:inside[:rwm]]>", "device of the host", (body, given) => {
    body.HostConfig.Devices = given.map(device);
  }),
  words("--device-cgroup-rule <rule>", "rule for devices, as c 1:3 rwm", (body, rules) => {
    body.HostConfig.DeviceCgroupRules = rules;
  }),
  word("--network <name>", "network to join: bridge, none, host, container:NAME", (body, text) => {
    body.HostConfig.NetworkMode = text;
  }),
  word("--net <name>", "the same as --network", (body, text) => {
    body.HostConfig.NetworkMode = text;
  }),
  words("-p, --publish <[[address:]port:]port[/protocol]>", "port of the host for one inside", (body, given) => {
    body.HostConfig.PortBindings = portBindings(given, "--publish");
    expose(body, Object.keys(body.HostConfig.PortBindings));
  }),
  words("--expose <port[/protocol]>", "port that others may use", (body, given) => {
    expose(body, Object.keys(exposedPorts(given, "--expose")));
  }),
  flag("-P, --publish-all", "ports of the host for all that are exposed", (body) => {
    body.HostConfig.PublishAllPorts = true;
  }),
  words("--dns <address>", "name server", (body, given) => {
    body.HostConfig.Dns = given;
  }),
  words("--dns-search <domain>", "domain to look for names in", (body, given) => {
    body.HostConfig.DnsSearch = given;
  }),
  words("--dns-option <option>", "option of the resolver", (body, given) => {
    body.HostConfig.DnsOptions = given;
  }),
  words("--add-host <name:address>", "line of /etc/hosts", (body, given) => {
    body.HostConfig.ExtraHosts = given.map((host) => splitAt(host, host.includes("=") ? "=" : ":").join(":"));
  }),
  word("--pid <mode>", "processes it sees: host or container:NAME", (body, text) => {
    body.HostConfig.PidMode = text;
  }),
  word("--ipc <mode>", "shared memory: none, private, shareable, host or container:NAME", (body, text) => {
    body.HostConfig.IpcMode = text;
  }),
  word("--uts <mode>", "host name of the host: host", (body, text) => {
    body.HostConfig.UTSMode = text;
  }),
  word("--userns <mode>", "users: host", (body, text) => {
    body.HostConfig.UsernsMode = text;
  }),
  word("--cgroupns <mode>", "cgroups it sees: host or private", (body, text) => {
    body.HostConfig.CgroupnsMode = text;
  }),
  word("--cgroup-parent <path>", "cgroup to put it in", (body, text) => {
    body.HostConfig.CgroupParent = text;
  }),
  flag("--privileged", "give it all rights", (body) => {
    body.HostConfig.Privileged = true;
  }),
  words("--cap-add <capability>", "right to give", (body, names) => {
    body.HostConfig.CapAdd = capabilities(names);
  }),
  words("--cap-drop <capability>", "right to take", (body, names) => {
    body.HostConfig.CapDrop = capabilities(names);
  }),
  words("--security-opt <option>", "as seccomp=FILE, no-new-privileges, apparmor=PROFILE", securityOptions),
  words("--sysctl <key=value>", "kernel parameter inside", (body, given) => {
    body.HostConfig.Sysctls = pairs(given, "--sysctl");
  }),
  words("--ulimit <name=soft[:hard]>", "limit of a process, as nofile=1024", (body, given) => {
    body.HostConfig.Ulimits = given.map(ulimit);
  }),
  word("--memory-swappiness <n>", "how readily it is swapped out, 0 to 100", (body, text) => {
    body.HostConfig.MemorySwappiness = integer(text, "--memory-swappiness");
  }),
  flag("--oom-kill-disable", "do not kill it for want of memory", (body) => {
    body.HostConfig.OomKillDisable = true;
  }),
  word("--oom-score-adj <n>", "how readily it is killed for want of memory, -1000 to 1000", (body, text) => {
    body.HostConfig.OomScoreAdj = integer(text, "--oom-score-adj");
  }),
];

function expose(body: CreateRequest, ports: readonly string[]): void {
  body.ExposedPorts = { ...body.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) };
}

function capabilities(names: readonly string[]): string[] {
  const upper = names.map((name) => name.toUpperCase());
  return upper.map((name) => (name === "ALL" || name.startsWith("CAP_") ? name : `CAP_${name}`));
}

type Device = NonNullable<HostConfig["Devices"]>[number];
type Ulimit = NonNullable<HostConfig["Ulimits"]>[number];

function device(text: string): Device {
  const [PathOnHost = "", second, third] = text.split(":");
  const isMode = third === undefined && second !== undefined && /^[rwm]{1,3}$/.test(second);
  const CgroupPermissions = isMode ? second : (third ?? "rwm");
  return { PathOnHost, PathInContainer: isMode ? PathOnHost : (second ?? PathOnHost), CgroupPermissions };
}

function ulimit(text: string): Ulimit {
  const [, Name, soft, hard = soft] = /^(\w+)=(-?\d+)(?::(-?\d+))?$/.exec(text) ?? [];
  if (Name === undefined) throw new WrongUsage(`--ulimit ${text}: want NAME=SOFT[:HARD]`);
  return { Name, Soft: Number(soft), Hard: Number(hard) };
}

/** A seccomp profile is read here: the daemon may not see the file. */
function securityOptions(body: CreateRequest, options: readonly string[]): void {
  const host = body.HostConfig;
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
