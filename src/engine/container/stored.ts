import { type RunConfig, zeroTime } from "../../spec/index.js";
import type { EndpointSettings } from "../api-container.js";

/**
 * `config.v2.json` of a container, keys in Docker's order. What another program put in beside them is kept.
 *
 * @see docker-data-root.md 8
 */
export interface StoredContainer {
  StreamConfig: object;
  State: StoredState;
  ID: string;
  /** RFC 3339. */
  Created: string;
  Managed: boolean;
  /** What is run, and with which arguments; `Config.Cmd` does not count any more. */
  Path: string;
  Args: string[];
  Config: RunConfig;
  /** ImageID; "" of a container over nothing. */
  Image: string;
  NetworkSettings: StoredNetworks;
  LogPath: string;
  /** With a `/` in front. */
  Name: string;
  Driver: string;
  OS: string;
  MountLabel: string;
  ProcessLabel: string;
  RestartCount: number;
  HasBeenStartedBefore: boolean;
  HasBeenManuallyStopped: boolean;
  /** By destination. */
  MountPoints: Record<string, StoredMount>;
  SecretReferences: unknown;
  ConfigReferences: unknown;
  AppArmorProfile: string;
  HostnamePath: string;
  HostsPath: string;
  ShmPath: string;
  ResolvConfPath: string;
  SeccompProfile: string;
  NoNewPrivileges: boolean;
  LocalLogCacheMeta: object;
  /** Ours: this removal takes the anonymous volumes along. */
  RemoveVolumes?: boolean;
}

/** Times are RFC 3339; year 1 is never. */
export interface StoredState {
  Running: boolean;
  Paused: boolean;
  Restarting: boolean;
  OOMKilled: boolean;
  RemovalInProgress: boolean;
  Dead: boolean;
  Pid: number;
  ExitCode: number;
  Error: string;
  StartedAt: string;
  FinishedAt: string;
  Health: StoredHealth | null;
}

export interface StoredHealth {
  Status: HealthStatus;
  FailingStreak: number;
  /** The last five, oldest first. */
  Log: HealthProbe[] | null;
}

export type HealthStatus = "starting" | "healthy" | "unhealthy" | "none" | "";

/** One look after a container. Times are RFC 3339. */
export interface HealthProbe {
  Start: string;
  End: string;
  ExitCode: number;
  Output: string;
}

export interface StoredNetworks {
  Networks?: Record<string, EndpointSettings> | null;
  [key: string]: unknown;
}

/** A mount of a container. `Spec` is what was asked for; an empty one made from `Volumes` alone. */
export interface StoredMount {
  Source: string;
  Destination: string;
  RW: boolean;
  Name: string;
  Driver: string;
  Type: "bind" | "volume" | "tmpfs";
  /** The mode text of a bind. */
  Relabel?: string;
  Propagation?: string;
  /** Of a volume in a container that runs. */
  ID?: string;
  Spec: { Type?: string; Source?: string; Target?: string; ReadOnly?: boolean; [key: string]: unknown };
  SkipMountpointCreation: boolean;
}

export type NewContainer = Pick<
  StoredContainer,
  "ID" | "Created" | "Path" | "Args" | "Config" | "Image" | "Name" | "Driver" | "MountPoints"
> & {
  readonly networks: Record<string, EndpointSettings>;
  /** Its name is one that we have thought of. */
  readonly nameless: boolean;
};

/** The file of a container that never ran, as dockerd 20.10 writes it. */
export function newContainer(given: NewContainer): StoredContainer {
  return {
    StreamConfig: {},
    State: neverRun(),
    ID: given.ID,
    Created: given.Created,
    Managed: false,
    Path: given.Path,
    Args: given.Args,
    Config: given.Config,
    Image: given.Image,
    NetworkSettings: networkSettings(given),
    LogPath: "",
    Name: given.Name,
    Driver: given.Driver,
    OS: "linux",
    MountLabel: "",
    ProcessLabel: "",
    RestartCount: 0,
    HasBeenStartedBefore: false,
    HasBeenManuallyStopped: false,
    MountPoints: given.MountPoints,
    SecretReferences: null,
    ConfigReferences: null,
    AppArmorProfile: "",
    HostnamePath: "",
    HostsPath: "",
    ShmPath: "",
    ResolvConfPath: "",
    SeccompProfile: "",
    NoNewPrivileges: false,
    LocalLogCacheMeta: { HaveNotifyEnabled: false },
  };
}

export function neverRun(): StoredState {
  return {
    Running: false,
    Paused: false,
    Restarting: false,
    OOMKilled: false,
    RemovalInProgress: false,
    Dead: false,
    Pid: 0,
    ExitCode: 0,
    Error: "",
    StartedAt: zeroTime,
    FinishedAt: zeroTime,
    Health: null,
  };
}

function networkSettings({ networks, nameless }: NewContainer): StoredNetworks {
  const stored = Object.entries(networks).map(([name, endpoint]) => [name, { ...endpoint, IPAMOperational: false }]);
  return {
    Bridge: "",
    SandboxID: "",
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    Networks: Object.fromEntries(stored),
    Service: null,
    Ports: null,
    SandboxKey: "",
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    IsAnonymousEndpoint: nameless,
    HasSwarmEndpoint: false,
  };
}

/** An endpoint with every key, in Docker's order; what is not the endpoint's own is left out. */
export function endpointSettings(given: EndpointSettings | null | undefined): EndpointSettings {
  const from = given ?? {};
  return {
    IPAMConfig: from.IPAMConfig ?? null,
    Links: from.Links ?? null,
    Aliases: from.Aliases ?? null,
    NetworkID: from.NetworkID ?? "",
    EndpointID: from.EndpointID ?? "",
    Gateway: from.Gateway ?? "",
    IPAddress: from.IPAddress ?? "",
    IPPrefixLen: from.IPPrefixLen ?? 0,
    IPv6Gateway: from.IPv6Gateway ?? "",
    GlobalIPv6Address: from.GlobalIPv6Address ?? "",
    GlobalIPv6PrefixLen: from.GlobalIPv6PrefixLen ?? 0,
    MacAddress: from.MacAddress ?? "",
    DriverOpts: from.DriverOpts ?? null,
  };
}
