import type { RawNumber } from "./go-json.js";

/** An int64 of Docker's API. */
export type Integer = number | RawNumber;

/** What a container asks of its host. Keys absent from a request get Docker's defaults at create. */
export interface HostConfig extends Resources {
  Binds?: string[] | null;
  ContainerIDFile?: string;
  LogConfig?: { Type?: string; Config?: Record<string, string> | null };
  NetworkMode?: string;
  PortBindings?: PortMap | null;
  RestartPolicy?: { Name?: string; MaximumRetryCount?: number };
  AutoRemove?: boolean;
  VolumeDriver?: string;
  VolumesFrom?: string[] | null;
  CapAdd?: string[] | null;
  CapDrop?: string[] | null;
  CgroupnsMode?: string;
  Dns?: string[] | null;
  DnsOptions?: string[] | null;
  DnsSearch?: string[] | null;
  ExtraHosts?: string[] | null;
  GroupAdd?: string[] | null;
  IpcMode?: string;
  Cgroup?: string;
  Links?: string[] | null;
  OomScoreAdj?: number;
  PidMode?: string;
  Privileged?: boolean;
  PublishAllPorts?: boolean;
  ReadonlyRootfs?: boolean;
  SecurityOpt?: string[] | null;
  StorageOpt?: Record<string, string> | null;
  Tmpfs?: Record<string, string> | null;
  UTSMode?: string;
  UsernsMode?: string;
  ShmSize?: number;
  Sysctls?: Record<string, string> | null;
  Runtime?: string;
  ConsoleSize?: number[];
  Isolation?: string;
  Mounts?: MountRequest[] | null;
  MaskedPaths?: string[] | null;
  ReadonlyPaths?: string[] | null;
  Init?: boolean | null;
  Annotations?: Record<string, string> | null;
  /** What later versions add: kept as given. */
  [key: string]: unknown;
}

export type PortMap = Record<string, { HostIp?: string; HostPort?: string }[] | null>;

/** One of `HostConfig.Mounts`. */
export interface MountRequest {
  Type?: string;
  Source?: string;
  Target?: string;
  ReadOnly?: boolean;
  Consistency?: string;
  BindOptions?: {
    Propagation?: string;
    NonRecursive?: boolean;
    CreateMountpoint?: boolean;
    /** Of a read-only mount: what is mounted below it stays as it is. */
    ReadOnlyNonRecursive?: boolean;
    /** Rather no mount than one with something below it that can be written. */
    ReadOnlyForceRecursive?: boolean;
  } | null;
  VolumeOptions?: {
    NoCopy?: boolean;
    Labels?: Record<string, string> | null;
    DriverConfig?: { Name?: string; Options?: Record<string, string> | null } | null;
    Subpath?: string;
  } | null;
  TmpfsOptions?: { SizeBytes?: number; Mode?: number } | null;
}

/** What a container may use. 0, "" and null: no limit of its own. @see runtime for what becomes of it */
export interface Resources {
  /** Weight against others, 1024 that of one who asks for nothing. */
  CpuShares?: Integer;
  /** Bytes. */
  Memory?: Integer;
  /** Billionths of a processor. */
  NanoCpus?: Integer;
  CgroupParent?: string;
  BlkioWeight?: Integer;
  BlkioWeightDevice?: { Path: string; Weight: Integer }[] | null;
  BlkioDeviceReadBps?: DeviceRate[] | null;
  BlkioDeviceWriteBps?: DeviceRate[] | null;
  BlkioDeviceReadIOps?: DeviceRate[] | null;
  BlkioDeviceWriteIOps?: DeviceRate[] | null;
  /** Microseconds, as are the next three. */
  CpuPeriod?: Integer;
  CpuQuota?: Integer;
  CpuRealtimePeriod?: Integer;
  CpuRealtimeRuntime?: Integer;
  CpusetCpus?: string;
  CpusetMems?: string;
  Devices?: DeviceMapping[] | null;
  /** `c 42:* rmw`. */
  DeviceCgroupRules?: string[] | null;
  DeviceRequests?: unknown[] | null;
  MemoryReservation?: Integer;
  /** Bytes of memory and swap together; negative: as much swap as there is. */
  MemorySwap?: Integer;
  MemorySwappiness?: Integer | null;
  OomKillDisable?: boolean | null;
  PidsLimit?: Integer | null;
  Ulimits?: Ulimit[] | null;
}

/** Bytes, or operations, a second. */
export interface DeviceRate {
  Path: string;
  Rate: Integer;
}

export interface DeviceMapping {
  PathOnHost: string;
  PathInContainer: string;
  /** Of `r`, `w` and `m`. */
  CgroupPermissions: string;
}

export interface Ulimit {
  /** `nofile`, without `RLIMIT_`. */
  Name: string;
  Hard: Integer;
  Soft: Integer;
}
