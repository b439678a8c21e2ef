import { maxDocument } from "../../image/index.js";
import { maxLayers } from "../../layer/index.js";
import { pastBadMirrors, type Repository } from "../../registry/index.js";
import {
  type ChainID,
  DataLoss,
  type Descriptor,
  type DiffID,
  DigestMismatch,
  type ImageID,
  InvalidParameter,
  type Manifest,
  nextChainID,
  parseImageConfig,
} from "../../spec/index.js";
import { labelled } from "../../threads/index.js";

/** A layer as the manifest offers it and the config promises it. */
export interface WantedLayer {
  readonly chainID: ChainID;
  readonly diffID: DiffID;
  readonly blob: Descriptor;
  /** How errors name it. */
  readonly label: string;
}

/** An image, everything but the layers' content read and checked. */
export interface PullPlan {
  readonly id: ImageID;
  readonly config: Uint8Array;
  /** Bottom first. */
  readonly layers: readonly WantedLayer[];
}

/** @throws DataLoss, InvalidParameter: a config that is damaged, unusable, or not one of these layers */
export async function planned(manifest: Manifest, repository: Repository, signal: AbortSignal): Promise<PullPlan> {
  const { config: descriptor } = manifest;
  const config = await configOf(descriptor, repository, signal);
  const { os, rootfs } = parseImageConfig(config);
  if (os && os.toLowerCase() !== "linux") {
    throw new InvalidParameter(`image operating system ${JSON.stringify(os)} cannot be used on this platform`);
  }
  return { id: descriptor.digest as ImageID, config, layers: wantedLayers(rootfs.diff_ids, manifest.layers) };
}

async function configOf(descriptor: Descriptor, repository: Repository, signal: AbortSignal): Promise<Uint8Array> {
  const { size, digest } = descriptor;
  if (size > maxDocument) throw new InvalidParameter(`image config ${digest} is too large: ${size} bytes`);
  try {
    return await wholeBlob(descriptor, repository, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    const damaged = error instanceof DigestMismatch;
    const why = damaged ? new DataLoss(`image config verification failed for digest ${digest}`) : error;
    throw labelled("error pulling image configuration", why);
  }
}

/** A blob in memory: for those that are known to be small. */
export function wholeBlob(blob: Descriptor, repository: Repository, signal: AbortSignal): Promise<Uint8Array> {
  return pastBadMirrors(async (mirrors) => {
    const pieces: Uint8Array[] = [];
    for await (const piece of repository.blob(blob, { signal, mirrors })) pieces.push(piece);
    return Buffer.concat(pieces);
  });
}

function wantedLayers(diffIDs: readonly DiffID[], blobs: readonly Descriptor[]): WantedLayer[] {
  if (diffIDs.length !== blobs.length) {
    const counts = `${blobs.length} in the manifest, ${diffIDs.length} in the configuration`;
    throw new InvalidParameter(`layers from manifest don't match image configuration: ${counts}`);
  }
  if (diffIDs.length > maxLayers) {
    throw new InvalidParameter(`max depth exceeded: a chain has at most ${maxLayers} layers, not ${diffIDs.length}`);
  }
  let below: ChainID | undefined;
  return blobs.map((blob, at) => {
    const diffID = diffIDs[at]!;
    below = nextChainID(below, diffID);
    return { chainID: below, diffID, blob, label: `layer ${at + 1} of ${blobs.length} (${blob.digest})` };
  });
}
