import type { RawNumber } from "../spec/index.js";
import type { ContainerSummary } from "./api-container.js";
import type { ImageSummary } from "./api-image.js";

/** `GET /version`. @see engine-api 4.1 */
export interface Version {
  Platform: { Name: string };
  Components: { Name: string; Version: string; Details: Record<string, string> }[];
  Version: string;
  ApiVersion: string;
  MinAPIVersion: string;
  GitCommit: string;
  GoVersion: string;
  Os: string;
  Arch: string;
  KernelVersion: string;
  BuildTime: string;
}

/** `GET /info`. @see engine-api 4.2 */
export interface Info {
  ID: string;
  Containers: number;
  ContainersRunning: number;
  ContainersPaused: number;
  ContainersStopped: number;
  Images: number;
  Driver: string;
  DriverStatus: (readonly [key: string, value: string])[];
  Plugins: { Volume: string[]; Network: string[]; Authorization: string[] | null; Log: string[] };
  ServerVersion: string;
  DockerRootDir: string;
  Warnings: string[] | null;
  /** The rest, as Docker names it. */
  [key: string]: unknown;
}

/** `GET /system/df`. @see engine-api 4.19 */
export interface DiskUsage {
  /** Bytes of all image layers, each once. */
  LayersSize: number;
  Images: ImageSummary[];
  Containers: ContainerSummary[];
  Volumes: Volume[];
  BuildCache: object[];
  BuilderSize: number;
}

/** A volume. `UsageData` stands only where sizes are counted; `Size` -1 is unknown. @see engine-api 6.4 */
export interface Volume {
  CreatedAt: string;
  Driver: string;
  Labels: Record<string, string> | null;
  Mountpoint: string;
  Name: string;
  Options: Record<string, string> | null;
  Scope: string;
  UsageData?: { RefCount: number; Size: number };
}

export interface VolumeCreateBody {
  Name?: string;
  Driver?: string;
  DriverOpts?: Record<string, string> | null;
  Labels?: Record<string, string> | null;
}

export interface VolumeList {
  readonly Volumes: Volume[];
  readonly Warnings: string[] | null;
}

export interface VolumesPruned {
  readonly VolumesDeleted: string[];
  readonly SpaceReclaimed: number;
}

/** `GET /networks/{n}`. @see engine-api 6.3 */
export interface Network {
  Name: string;
  Id: string;
  Created: string;
  Scope: string;
  Driver: string;
  EnableIPv6: boolean;
  IPAM: { Driver: string; Options: object | null; Config: { Subnet?: string; Gateway?: string }[] };
  Internal: boolean;
  Attachable: boolean;
  Ingress: boolean;
  ConfigFrom: { Network: string };
  ConfigOnly: boolean;
  Containers: Record<string, object>;
  Options: Record<string, string>;
  Labels: Record<string, string>;
}

/** One object of `GET /events`. `timeNano` is beyond 2^53: serialise with `goJSON`. @see engine-api 2.5 */
export interface EventMessage {
  /** The same as `Action`; containers and images only. */
  readonly status?: string;
  readonly id?: string;
  /** Image name; containers only. */
  readonly from?: string;
  readonly Type: EventType;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: "local";
  readonly time: number;
  readonly timeNano: RawNumber;
}

export type EventType = "container" | "image" | "volume" | "network" | "daemon";

/** Filters of any list: each key with its values, or-ed within a key, and-ed between keys. */
export type Filters = Readonly<Record<string, readonly string[]>>;
