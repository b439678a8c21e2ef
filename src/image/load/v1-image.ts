import { type DiffID, goJSON, InvalidParameter, parseRunConfig, type RunConfig, zeroTime } from "../../spec/index.js";
import { newImageConfig } from "../new-image-config.js";
import { isObject } from "./archive.js";

/** An image of the oldest archives: one layer and its config, a parent below. @see docker image spec v1 */
export interface V1Image {
  readonly parent?: string;
  readonly os?: string;
  readonly created: string;
  readonly author?: string;
  readonly comment?: string;
  readonly dockerVersion?: string;
  readonly containerConfig: RunConfig;
  readonly config?: RunConfig;
  readonly architecture?: string;
  readonly container?: string;
  /** All of it, as it came. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** @throws InvalidParameter: values of the wrong kind */
export function v1ImageIn(value: unknown, where: string): V1Image {
  if (!isObject(value)) throw new InvalidParameter(`invalid archive: ${where} is not a JSON object`);
  const text = <K extends string>(key: string, as: K): Partial<Record<K, string>> => {
    const field = value[key] ?? "";
    if (typeof field !== "string") throw new InvalidParameter(`invalid archive: ${key} in ${where} is not text`);
    return (field === "" ? {} : { [as]: field }) as Partial<Record<K, string>>;
  };
  return {
    ...text("parent", "parent"),
    ...text("os", "os"),
    ...text("author", "author"),
    ...text("comment", "comment"),
    ...text("docker_version", "dockerVersion"),
    ...text("architecture", "architecture"),
    ...text("container", "container"),
    created: text("created", "created").created ?? zeroTime,
    containerConfig: parseRunConfig(`container_config in ${where}`, value.container_config ?? {}),
    ...(value.config != null && { config: parseRunConfig(`config in ${where}`, value.config) }),
    raw: value,
  };
}

/** What the image adds to the history. */
export function stepFromV1(image: V1Image): object {
  return {
    created: image.created,
    author: image.author,
    created_by: image.containerConfig.Cmd?.join(" ") || undefined,
    comment: image.comment,
  };
}

const gone = ["id", "parent", "Size", "parent_id", "layer_id", "throwaway"];

/**
 * The config dockerd makes of such an image: what came, without what belonged to the old form. What engines before
 * 1.8.3 wrote is spelled anew.
 *
 * @see moby 20.10, image/v1/imagev1.go, "MakeConfigFromV1Config"
 */
export function configFromV1(image: V1Image, diffIDs: readonly DiffID[], history: readonly object[]): Buffer {
  if (isBefore(image.dockerVersion ?? "", "1.8.3")) {
    return newImageConfig({ ...image, diffIDs, history });
  }
  const kept = Object.entries(image.raw).filter(([key]) => !gone.includes(key));
  return Buffer.from(goJSON(new Map<string, unknown>([...kept, ["history", history], ["rootfs", rootfs(diffIDs)]])));
}

const rootfs = (diffIDs: readonly DiffID[]) => ({ type: "layers", diff_ids: diffIDs });

/** Compares versions number by number; what is no number counts as 0, as does what is missing. */
function isBefore(version: string, other: string): boolean {
  const numbers = (text: string) => text.split(".").map((part) => (/^\d+$/.test(part) ? Number(part) : 0));
  const [a, b] = [numbers(version), numbers(other)];
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
