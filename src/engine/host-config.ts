import { defaultMaskedPaths, defaultReadonlyPaths } from "../runtime/index.js";
import type { HostConfig } from "./api-container.js";
import type { ContainerDefaults } from "./container-defaults.js";
import { anything, flag, integer, type Kind, list, map, pointer, struct, text, words } from "./go-struct.js";

const mountRequest = struct(
  {
    Type: text,
    Source: text,
    Target: text,
    ReadOnly: flag,
    Consistency: text,
    BindOptions: pointer(
      struct({ Propagation: text, NonRecursive: flag, ReadOnlyNonRecursive: flag, ReadOnlyForceRecursive: flag }, [
        "Propagation",
        "NonRecursive",
        "ReadOnlyNonRecursive",
        "ReadOnlyForceRecursive",
      ]),
    ),
    VolumeOptions: pointer(
      struct(
        {
          NoCopy: flag,
          Labels: map(text),
          DriverConfig: pointer(struct({ Name: text, Options: map(text) }, ["Name", "Options"])),
        },
        ["NoCopy", "Labels", "DriverConfig"],
      ),
    ),
    TmpfsOptions: pointer(struct({ SizeBytes: integer, Mode: integer }, ["SizeBytes", "Mode"])),
  },
  ["Type", "Source", "Target", "ReadOnly", "Consistency", "BindOptions", "VolumeOptions", "TmpfsOptions"],
);

const device = struct({ PathOnHost: text, PathInContainer: text, CgroupPermissions: text });
const throttle = struct({ Path: text, Rate: integer });

/** `HostConfig` of a container: Docker 20.10's keys in its order, absent ones as it writes them. */
const schema = struct(
  {
    Binds: list(text),
    ContainerIDFile: text,
    LogConfig: struct({ Type: text, Config: map(text) }),
    NetworkMode: text,
    PortBindings: map(list(struct({ HostIp: text, HostPort: text }))),
    RestartPolicy: struct({ Name: text, MaximumRetryCount: integer }),
    AutoRemove: flag,
    VolumeDriver: text,
    VolumesFrom: list(text),
    CapAdd: words,
    CapDrop: words,
    CgroupnsMode: text,
    Dns: list(text),
    DnsOptions: list(text),
    DnsSearch: list(text),
    ExtraHosts: list(text),
    GroupAdd: list(text),
    IpcMode: text,
    Cgroup: text,
    Links: list(text),
    OomScoreAdj: integer,
    PidMode: text,
    Privileged: flag,
    PublishAllPorts: flag,
    ReadonlyRootfs: flag,
    SecurityOpt: list(text),
    StorageOpt: map(text),
    Tmpfs: map(text),
    UTSMode: text,
    UsernsMode: text,
    ShmSize: integer,
    Sysctls: map(text),
    Runtime: text,
    ConsoleSize: list(integer),
    Isolation: text,
    CpuShares: integer,
    Memory: integer,
    NanoCpus: integer,
    CgroupParent: text,
    BlkioWeight: integer,
    BlkioWeightDevice: list(struct({ Path: text, Weight: integer })),
    BlkioDeviceReadBps: list(throttle),
    BlkioDeviceWriteBps: list(throttle),
    BlkioDeviceReadIOps: list(throttle),
    BlkioDeviceWriteIOps: list(throttle),
    CpuPeriod: integer,
    CpuQuota: integer,
    CpuRealtimePeriod: integer,
    CpuRealtimeRuntime: integer,
    CpusetCpus: text,
    CpusetMems: text,
    Devices: list(device),
    DeviceCgroupRules: list(text),
    DeviceRequests: list(anything),
    KernelMemory: integer,
    KernelMemoryTCP: integer,
    MemoryReservation: integer,
    MemorySwap: integer,
    MemorySwappiness: pointer(integer),
    OomKillDisable: pointer(flag),
    PidsLimit: pointer(integer),
    Ulimits: list(struct({ Name: text, Hard: integer, Soft: integer })),
    CpuCount: integer,
    CpuPercent: integer,
    IOMaximumIOps: integer,
    IOMaximumBandwidth: integer,
    Mounts: list(mountRequest),
    MaskedPaths: list(text),
    ReadonlyPaths: list(text),
    Init: pointer(flag),
    Annotations: map(text),
  },
  ["StorageOpt", "Tmpfs", "Sysctls", "Runtime", "Mounts", "Init", "Annotations"],
) as Kind<unknown> as Kind<HostConfig>;

/** The host config of a request in Docker's order. @throws InvalidParameter: a value of the wrong kind */
export function fullHostConfig(given: unknown): HostConfig {
  const config = schema.read(given, "HostConfig");
  return { ...config, ConsoleSize: config.ConsoleSize ?? [0, 0] };
}

export interface HostDefaults {
  readonly cgroup2: boolean;
  /** Whether the request had a host config at all: only then dockerd writes the runtime down. */
  readonly asked: boolean;
  /** What is written down then where none was named. */
  readonly runtime?: string;
  readonly containers?: ContainerDefaults;
}

/** What Docker fills in at create, where the request left it open. */
export function withHostDefaults(given: HostConfig, defaults: HostDefaults): HostConfig {
  const { cgroup2, asked, runtime = "runc", containers = {} } = defaults;
  const { cgroupnsMode = cgroup2 ? "private" : "host", ipcMode = "private", shmSize = 64 * 1024 * 1024 } = containers;
  const config = asked && !given.Runtime ? fullHostConfig({ ...given, Runtime: runtime }) : given;
  const { LogConfig: log, Memory: memory, MemorySwap: swap, PidsLimit: pids, Privileged: privileged } = config;
  return {
    ...config,
    LogConfig: logConfig(log, containers.log),
    NetworkMode: config.NetworkMode || "default",
    SecurityOpt: securityOptions(config),
    CgroupnsMode: config.CgroupnsMode || (privileged ? "host" : cgroupnsMode),
    IpcMode: config.IpcMode || ipcMode,
    ShmSize: config.ShmSize || shmSize,
    MemorySwap: typeof memory === "number" && memory > 0 && swap === 0 ? memory * 2 : (swap ?? 0),
    MemorySwappiness: config.MemorySwappiness === -1 ? null : (config.MemorySwappiness ?? null),
    OomKillDisable: config.OomKillDisable ?? false,
    PidsLimit: typeof pids === "number" && pids <= 0 ? null : (pids ?? null),
    MaskedPaths: config.MaskedPaths ?? (privileged ? null : [...defaultMaskedPaths]),
    ReadonlyPaths: config.ReadonlyPaths ?? (privileged ? null : [...defaultReadonlyPaths]),
  };
}

/** The usual options are for the usual driver alone. */
function logConfig(given: HostConfig["LogConfig"], usual: ContainerDefaults["log"] = {}) {
  const { driver = "json-file", options = {} } = usual;
  const Type = given?.Type || driver;
  return { Type, Config: { ...(Type === driver && options), ...given?.Config } };
}

/** Where the host's processes are seen, labels would only be in the way. */
function securityOptions({ SecurityOpt: given, Privileged, PidMode, IpcMode }: HostConfig): string[] | null {
  const unconfined = Privileged || PidMode === "host" || IpcMode === "host";
  if (!unconfined || given?.some((option) => /^label[=:]/.test(option))) return given ?? null;
  return [...(given ?? []), "label=disable"];
}
