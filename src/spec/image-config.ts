import { createHash } from "node:crypto";
import type { DiffID, ImageID } from "./digest.js";
import { parseDigest } from "./digest.js";
import { InvalidParameter, messageOf } from "./errors.js";

/** How a container of the image runs, in Docker's spelling. @see OCI image-spec v1.1 config.md */
export interface RunConfig {
  Hostname?: string;
  Domainname?: string;
  User?: string;
  AttachStdin?: boolean;
  AttachStdout?: boolean;
  AttachStderr?: boolean;
  ExposedPorts?: Record<string, object> | null;
  Tty?: boolean;
  OpenStdin?: boolean;
  StdinOnce?: boolean;
  Env?: string[] | null;
  Cmd?: string[] | null;
  Healthcheck?: Healthcheck | null;
  ArgsEscaped?: boolean;
  Image?: string;
  Volumes?: Record<string, object> | null;
  WorkingDir?: string;
  Entrypoint?: string[] | null;
  NetworkDisabled?: boolean;
  MacAddress?: string;
  OnBuild?: string[] | null;
  Labels?: Record<string, string> | null;
  StopSignal?: string;
  StopTimeout?: number;
  Shell?: string[] | null;
}

/** Durations in nanoseconds. */
export interface Healthcheck {
  Test?: string[];
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  StartInterval?: number;
  Retries?: number;
}

/** One step of how the image came to be; those with `empty_layer` made no layer. */
export interface HistoryEntry {
  created?: string;
  author?: string;
  created_by?: string;
  comment?: string;
  empty_layer?: boolean;
}

/** The parts of an image config that layerkit reads; its bytes are always kept as they came. */
export interface ImageConfig {
  readonly architecture?: string;
  readonly variant?: string;
  readonly os?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
  readonly author?: string;
  readonly comment?: string;
  readonly container?: string;
  readonly container_config?: RunConfig;
  readonly config?: RunConfig | null;
  readonly created?: string;
  readonly docker_version?: string;
  readonly history?: readonly HistoryEntry[];
  /** `diff_ids` bottom layer first. */
  readonly rootfs: { readonly type: string; readonly diff_ids: readonly DiffID[] };
}

/** The id of an image: sha256 of its config's bytes. */
export function imageIDOf(config: Uint8Array): ImageID {
  return `sha256:${createHash("sha256").update(config).digest("hex")}` as ImageID;
}

/**
 * Reads an image config and checks what every use of it relies on.
 *
 * @throws InvalidParameter: not JSON, no rootfs, malformed diff ids, more non-empty history entries than layers
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const bad = (why: string) => new InvalidParameter(`invalid image config ${imageIDOf(bytes)}: ${why}`);
  let config: Omit<ImageConfig, "rootfs"> & { rootfs?: { type?: string; diff_ids?: unknown } | null };
  try {
    config = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    throw bad(messageOf(error));
  }
  if (config === null || typeof config !== "object" || Array.isArray(config)) throw bad("not a JSON object");
  if (!config.rootfs || typeof config.rootfs !== "object") throw bad("invalid image JSON, no RootFS key");
  const listed = config.rootfs.diff_ids ?? [];
  if (!Array.isArray(listed) || listed.some((item) => typeof item !== "string"))
    throw bad("rootfs.diff_ids is not a list of digests");
  const diffIDs = listed.map((item: string) => parseDigest<DiffID>(item));
  if (config.history != null && !Array.isArray(config.history)) throw bad("history is not a list");
  if ((config.history ?? []).filter((entry) => !entry?.empty_layer).length > diffIDs.length) {
    throw bad("too many non-empty layers in History section");
  }
  return { ...config, rootfs: { type: config.rootfs.type ?? "layers", diff_ids: diffIDs } };
}
