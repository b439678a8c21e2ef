import { createHash } from "node:crypto";
import { type DiffID, type ImageID, parseDigest } from "./digest.js";
import { InvalidParameter, messageOf } from "./errors.js";
import { parseRunConfig, type RunConfig } from "./run-config.js";

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

const texts = ["architecture", "variant", "os", "os.version", "author", "comment", "container", "created"] as const;

/**
 * Reads an image config and checks what every use of it relies on.
 *
 * @throws InvalidParameter: not JSON, no rootfs, malformed diff ids, more non-empty history entries than layers, a
 * value of the wrong kind
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  try {
    return checked(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch (error) {
    throw new InvalidParameter(`invalid image config ${imageIDOf(bytes)}: ${messageOf(error)}`, { cause: error });
  }
}

function checked(value: unknown): ImageConfig {
  if (!isObject(value)) throw new InvalidParameter("not a JSON object");
  const { rootfs, history, config, container_config: containerConfig, ...rest } = value;
  if (!isObject(rootfs)) throw new InvalidParameter("invalid image JSON, no RootFS key");
  const wrong = [...texts, "docker_version"].find((key) => rest[key] != null && typeof rest[key] !== "string");
  if (wrong) throw new InvalidParameter(`${wrong} is not text`);
  const steps = historyOf(history);
  const diffIDs = diffIDsOf(rootfs.diff_ids);
  if (steps.filter((step) => !step.empty_layer).length > diffIDs.length) {
    throw new InvalidParameter("too many non-empty layers in History section");
  }
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([, field]) => field !== null)),
    ...(history != null && { history: steps }),
    ...(config != null && { config: parseRunConfig("config", config) }),
    ...(containerConfig != null && { container_config: parseRunConfig("container_config", containerConfig) }),
    rootfs: { type: typeof rootfs.type === "string" ? rootfs.type : "layers", diff_ids: diffIDs },
  };
}

function diffIDsOf(listed: unknown): DiffID[] {
  const list = listed ?? [];
  if (!Array.isArray(list) || list.some((item) => typeof item !== "string")) {
    throw new InvalidParameter("rootfs.diff_ids is not a list of digests");
  }
  return list.map((item: string) => parseDigest<DiffID>(item));
}

function historyOf(listed: unknown): HistoryEntry[] {
  const list = listed ?? [];
  if (!Array.isArray(list)) throw new InvalidParameter("history is not a list");
  if (!list.every(isObject)) throw new InvalidParameter("history is not a list of steps");
  const wrong = list
    .flatMap((step) => [step.created, step.author, step.created_by, step.comment])
    .find((text) => text != null && typeof text !== "string");
  if (wrong !== undefined) throw new InvalidParameter("history has a step whose values are not text");
  return list as HistoryEntry[];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
