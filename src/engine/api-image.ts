import type { Descriptor, HistoryEntry, Platform, RunConfig } from "../spec/index.js";

/** An element of `GET /images/json`, as up to API 1.41 shows it. `Created` in seconds since 1970. @see engine-api 4.3 */
export interface ImageSummary {
  Id: string;
  /** "" when the image has none. */
  ParentId: string;
  /** Familiar names; empty for an untagged image. */
  RepoTags: string[];
  RepoDigests: string[];
  Created: number;
  Size: number;
  VirtualSize: number;
  /** -1 unless asked for. */
  SharedSize: number;
  /** -1 unless counted. */
  Containers: number;
  Labels: Record<string, string> | null;
}

/** `GET /images/{name}/json`. @see engine-api 4.4 */
export interface ImageInspect {
  Id: string;
  RepoTags: string[];
  RepoDigests: string[];
  Parent: string;
  Comment: string;
  Created: string;
  Container: string;
  ContainerConfig: RunConfig;
  DockerVersion: string;
  Author: string;
  Config: RunConfig | null;
  Architecture: string;
  Variant?: string;
  Os: string;
  OsVersion?: string;
  Size: number;
  VirtualSize: number;
  GraphDriver: { Data: Record<string, string> | null; Name: string };
  RootFS: { Type: string; Layers?: string[] };
  Metadata: { LastTagTime: string };
}

/** An element of `GET /images/{name}/history`, newest first. `Created` in seconds since 1970. */
export interface ImageHistoryItem {
  Id: string;
  Created: number;
  CreatedBy: NonNullable<HistoryEntry["created_by"]>;
  Tags: string[] | null;
  Size: number;
  Comment: string;
}

/** What a removal did, one step an item, in the order done. */
export type ImageDeleteItem = { readonly Untagged: string } | { readonly Deleted: string };

/** `GET /distribution/{name}/json`: what a registry has under a name. @see engine-api 6.6 */
export interface DistributionInspect {
  readonly Descriptor: Pick<Descriptor, "mediaType" | "digest" | "size">;
  /** `null` when it is something else than an image. */
  readonly Platforms: readonly Platform[] | null;
}

export interface ImagesPruned {
  readonly ImagesDeleted: ImageDeleteItem[];
  readonly SpaceReclaimed: number;
}

/** One message of the JSON streams of pull, load and import. @see engine-api 2.3 */
export interface ProgressMessage {
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly progress?: string;
  readonly stream?: string;
  readonly aux?: object;
  readonly errorDetail?: { readonly code?: number; readonly message: string };
  readonly error?: string;
}
