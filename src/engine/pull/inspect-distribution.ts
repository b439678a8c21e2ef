import { maxDocument } from "../../image/index.js";
import type { Repository, Resolved } from "../../registry/index.js";
import {
  Forbidden,
  isManifestType,
  NotFound,
  type Platform,
  parseIndex,
  parseManifest,
  parseReference,
  platformIn,
  withDefaultTag,
} from "../../spec/index.js";
import type { DistributionInspect } from "../api-image.js";
import type { ImageParts } from "../image/parts.js";
import type { DistributionOptions } from "../images.js";
import { wholeBlob } from "./plan.js";

/** @throws InvalidParameter: no name; else as `Repository` */
export async function inspectDistribution(
  { registries }: ImageParts,
  name: string,
  { credentials, signal = new AbortController().signal }: DistributionOptions = {},
): Promise<DistributionInspect> {
  const { digest: asked, tag = "", ...repositoryName } = withDefaultTag(parseReference(name));
  const repository = registries.repository(repositoryName, credentials);
  const resolved = await repository.resolve(asked ?? tag, { signal }).catch((error) => {
    throw inOwnWords(error);
  });
  const { mediaType, digest, size } = resolved.descriptor;
  const platforms = isManifestType(mediaType)
    ? await platformOfImage(resolved, repository, signal)
    : parseIndex(resolved.bytes, `index ${digest}`).manifests.map(({ platform }) => platform ?? none);
  return { Descriptor: { mediaType, digest, size }, Platforms: platforms.length > 0 ? platforms : null };
}

/** As the registry put it, not as a failed pull is told. */
function inOwnWords(error: Error): unknown {
  return error.cause instanceof NotFound || error.cause instanceof Forbidden ? error.cause : error;
}

const none: Platform = { architecture: "", os: "" };

/** What its config says; something else than an image has none. */
async function platformOfImage(
  { descriptor, bytes }: Resolved,
  repository: Repository,
  signal: AbortSignal,
): Promise<Platform[]> {
  const { config } = parseManifest(bytes, `manifest ${descriptor.digest}`);
  if (config.size > maxDocument) return [];
  const platform = platformIn(parsed(await wholeBlob(config, repository, signal)));
  return platform && (platform.os || platform.architecture) ? [platform] : [];
}

function parsed(config: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(config).toString());
  } catch {
    return undefined;
  }
}
