import { forThisPlatform, platformText } from "../../image/index.js";
import type { Repository, Resolved } from "../../registry/index.js";
import {
  type Descriptor,
  InvalidParameter,
  isIndexType,
  isManifestType,
  type Manifest,
  mediaTypes,
  NotFound,
  type Platform,
  parseIndex,
  parseManifest,
} from "../../spec/index.js";

const deepestIndex = 8;

/** What `config` says of an image; the last three are what careless pushers wrote, which dockerd takes too. */
const imageConfigs: readonly string[] = [
  mediaTypes.dockerConfig,
  mediaTypes.ociConfig,
  "application/octet-stream",
  "application/json",
  "text/html",
  "",
];

const layerType =
  /^application\/vnd\.(docker\.image\.rootfs(\.foreign)?\.diff\.tar(\.gzip|\.zstd)?|oci\.image\.layer(\.nondistributable)?\.v1\.tar(\+gzip|\+zstd)?)$/;

/**
 * The manifest of an image, if that is what a name led to; of an index, undefined.
 *
 * @throws InvalidParameter: what it describes is no container image
 */
export function imageManifest({ descriptor, bytes }: Resolved): Manifest | undefined {
  if (!isManifestType(descriptor.mediaType)) return undefined;
  const manifest = parseManifest(bytes, `manifest ${descriptor.digest}`);
  const { mediaType } = manifest.config;
  if (!imageConfigs.includes(mediaType)) {
    throw new InvalidParameter(`manifest ${descriptor.digest} is no container image: its config is ${mediaType}`);
  }
  const strange = manifest.layers.find((layer) => !layerType.test(layer.mediaType));
  if (strange) throw new InvalidParameter(`unsupported media type ${strange.mediaType} of layer ${strange.digest}`);
  return manifest;
}

/**
 * The manifest for a platform that an index leads to, by way of other indexes if need be.
 *
 * @throws NotFound "no matching manifest for …"; InvalidParameter: no index, or none of images
 */
export async function choose(
  { descriptor, bytes }: Resolved,
  repository: Repository,
  { platform, signal }: { readonly platform: Platform; readonly signal: AbortSignal },
  depth = 0,
): Promise<Manifest> {
  const what = `index ${descriptor.digest}`;
  if (depth === deepestIndex) throw new InvalidParameter(`indexes within indexes, ${depth} deep, at ${what}`);
  const { manifests } = parseIndex(bytes, what);
  const chosen = forThisPlatform(manifests.filter(isImage), platform);
  if (!chosen) throw noneFor(platform, manifests);
  const resolved = await repository.resolve(chosen.digest, { signal });
  return imageManifest(resolved) ?? choose(resolved, repository, { platform, signal }, depth + 1);
}

/** Attestations of a build, and other things that are no image, may stand in an index too. */
function isImage({ mediaType, annotations }: Descriptor): boolean {
  const attached = annotations?.["vnd.docker.reference.type"] !== undefined;
  return !attached && (isManifestType(mediaType) || isIndexType(mediaType));
}

function noneFor(platform: Platform, manifests: readonly Descriptor[]): NotFound {
  const offered = [...new Set(manifests.filter(isImage).map((each) => platformText(each.platform!)))];
  const there = offered.length === 0 ? "there is none at all" : `there are ${offered.join(", ")}`;
  return new NotFound(`no matching manifest for ${platformText(platform)} in the manifest list entries: ${there}`);
}
