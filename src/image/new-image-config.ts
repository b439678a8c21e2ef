import { type DiffID, goJSON, goRunConfig, type HistoryEntry, type RunConfig, zeroTime } from "../spec/index.js";

/** What a new image config says; what is absent or "" is left out, as Docker does. */
export interface NewImageConfig {
  readonly architecture?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly config?: RunConfig;
  /** Id of the container that was committed. */
  readonly container?: string;
  readonly containerConfig?: RunConfig;
  /** RFC 3339 in UTC. */
  readonly created?: string;
  readonly dockerVersion?: string;
  /** Oldest first; steps of the image below included. */
  readonly history?: readonly HistoryEntry[];
  readonly os?: string;
  readonly osFeatures?: readonly string[];
  readonly osVersion?: string;
  /** Bottom first. */
  readonly diffIDs: readonly DiffID[];
  readonly variant?: string;
}

/**
 * The bytes of an image config, spelled as dockerd 20.10 spells the ones it makes, so that equal content gets an
 * equal ImageID: compact JSON, keys in byte order, structs in the order of their fields.
 *
 * @see moby, image/image.go
 */
export function newImageConfig(image: NewImageConfig): Buffer {
  const text = (value: string | undefined) => value || undefined;
  const { diffIDs, history, osFeatures } = image;
  return Buffer.from(
    goJSON({
      architecture: text(image.architecture),
      author: text(image.author),
      comment: text(image.comment),
      config: image.config && goRunConfig(image.config),
      container: text(image.container),
      container_config: goRunConfig(image.containerConfig ?? {}),
      created: image.created ?? zeroTime,
      docker_version: text(image.dockerVersion),
      history: history?.length ? history.map(historyEntry) : undefined,
      os: text(image.os),
      "os.features": osFeatures?.length ? osFeatures : undefined,
      "os.version": text(image.osVersion),
      rootfs: { type: "layers", diff_ids: diffIDs.length > 0 ? diffIDs : undefined },
      variant: text(image.variant),
    }),
  );
}

function historyEntry(step: HistoryEntry): object {
  return {
    created: step.created ?? zeroTime,
    author: step.author || undefined,
    created_by: step.created_by || undefined,
    comment: step.comment || undefined,
    empty_layer: step.empty_layer || undefined,
  };
}
