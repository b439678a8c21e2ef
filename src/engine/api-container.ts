import type { HostConfig, RawNumber, RunConfig } from "../spec/index.js";

export type { HostConfig, MountRequest, PortMap } from "../spec/index.js";

/** Body of `POST /containers/create`: a run config at the top level. Keys in Docker's spelling. @see engine-api 4.11 */
export interface ContainerCreateBody extends RunConfig {
  HostConfig?: HostConfig;
  NetworkingConfig?: { EndpointsConfig?: Record<string, EndpointSettings | null> | null };
}

export interface ContainerCreated {
  readonly Id: string;
  readonly Warnings: string[];
}

/** A container's place in one network. */
export interface EndpointSettings {
  IPAMConfig?: object | null;
  Links?: string[] | null;
  Aliases?: string[] | null;
  NetworkID?: string;
  EndpointID?: string;
  Gateway?: string;
  IPAddress?: string;
  IPPrefixLen?: number;
  IPv6Gateway?: string;
  GlobalIPv6Address?: string;
  GlobalIPv6PrefixLen?: number;
  MacAddress?: string;
  DriverOpts?: Record<string, string> | null;
}

/** A mount point as inspect and lists show it. */
export interface MountPoint {
  Type: string;
  Name?: string;
  Source: string;
  Destination: string;
  Driver?: string;
  Mode: string;
  RW: boolean;
  Propagation: string;
}

export type ContainerStatus = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";

/** An element of `GET /containers/json`. `Created` in seconds since 1970. @see engine-api 4.12 */
export interface ContainerSummary {
  Id: string;
  /** Each begins with `/`. */
  Names: string[];
  Image: string;
  ImageID: string;
  Command: string;
  Created: number;
  Ports: { IP?: string; PrivatePort: number; PublicPort?: number; Type: string }[];
  SizeRw?: number;
  SizeRootFs?: number;
  Labels: Record<string, string>;
  State: ContainerStatus;
  Status: string;
  HostConfig: { NetworkMode?: string };
  NetworkSettings: { Networks: Record<string, EndpointSettings> };
  Mounts: MountPoint[];
}

/** `GET /containers/{c}/json`. @see engine-api 4.13 */
export interface ContainerInspect {
  Id: string;
  Created: string;
  Path: string;
  Args: string[];
  State: ContainerState;
  Image: string;
  ResolvConfPath: string;
  HostnamePath: string;
  HostsPath: string;
  LogPath: string;
  Name: string;
  RestartCount: number;
  Driver: string;
  Platform: string;
  MountLabel: string;
  ProcessLabel: string;
  AppArmorProfile: string;
  ExecIDs: string[] | null;
  HostConfig: HostConfig;
  GraphDriver: { Data: Record<string, string> | null; Name: string };
  SizeRw?: number;
  SizeRootFs?: number;
  Mounts: MountPoint[];
  Config: RunConfig;
  NetworkSettings: object;
}

/** Times are RFC 3339; `0001-01-01T00:00:00Z` is never. */
export interface ContainerState {
  Status: ContainerStatus;
  Running: boolean;
  Paused: boolean;
  Restarting: boolean;
  OOMKilled: boolean;
  Dead: boolean;
  Pid: number;
  ExitCode: number;
  Error: string;
  StartedAt: string;
  FinishedAt: string;
  Health?: object;
}

/** An element of `GET /containers/{c}/changes`; `Kind` 0 modified, 1 added, 2 deleted. */
export interface FilesystemChange {
  readonly Path: string;
  readonly Kind: 0 | 1 | 2;
}

/** What `X-Docker-Container-Path-Stat` carries. `mode` is Go's file mode number. @see engine-api 4.17 */
export interface PathStat {
  readonly name: string;
  readonly size: number | RawNumber;
  readonly mode: number;
  readonly mtime: string;
  readonly linkTarget: string;
}

export interface ContainersPruned {
  readonly ContainersDeleted: string[];
  readonly SpaceReclaimed: number;
}
