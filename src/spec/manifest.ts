import type { Descriptor, Index, Manifest, Platform } from "./descriptor.js";
import { mediaTypes } from "./descriptor.js";
import { parseDigest } from "./digest.js";
import { InvalidParameter, messageOf } from "./errors.js";

const manifestTypes: readonly string[] = [mediaTypes.ociManifest, mediaTypes.dockerManifest];
const indexTypes: readonly string[] = [mediaTypes.ociIndex, mediaTypes.dockerIndex];

export function isManifestType(mediaType: string): boolean {
  return manifestTypes.includes(mediaType);
}

export function isIndexType(mediaType: string): boolean {
  return indexTypes.includes(mediaType);
}

/**
 * Reads an image manifest.
 *
 * @param what how errors name it
 * @throws InvalidParameter: not JSON, no config, something that is no descriptor
 */
export function parseManifest(bytes: Uint8Array, what: string): Manifest {
  const document = documentIn(bytes, what);
  const config = descriptorIn(document.config, `the config of ${what}`);
  return { ...commonOf(document), config, layers: descriptorsIn(document, "layers", what) };
}

/** Reads an image index, or Docker's manifest list. @throws InvalidParameter: not JSON, or with something that is no descriptor */
export function parseIndex(bytes: Uint8Array, what: string): Index {
  const document = documentIn(bytes, what);
  return { ...commonOf(document), manifests: descriptorsIn(document, "manifests", what) };
}

/** The descriptors a document lists; none when it has no such list. @throws InvalidParameter */
export function descriptorsIn(document: unknown, key: "manifests" | "layers", what: string): Descriptor[] {
  const list = isObject(document) ? (document[key] ?? []) : undefined;
  if (!Array.isArray(list)) throw new InvalidParameter(`${what} has no list of ${key}`);
  return list.map((item, at) => descriptorIn(item, `${key}[${at}] of ${what}`));
}

/** A descriptor out of JSON, its kinds checked. @throws InvalidParameter */
export function descriptorIn(value: unknown, what: string): Descriptor {
  const bad = (why: string) => new InvalidParameter(`${what} ${why}`);
  if (!isObject(value)) throw bad("is not a descriptor");
  const { mediaType = "", digest, size, urls, annotations, platform } = value;
  if (typeof mediaType !== "string") throw bad("has a mediaType that is no text");
  if (typeof digest !== "string") throw bad("has no digest");
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) throw bad("has no size");
  const platformRead = platformIn(platform);
  return {
    mediaType,
    digest: parseDigest(digest),
    size,
    ...(Array.isArray(urls) && { urls: urls.filter((url) => typeof url === "string") }),
    ...(isObject(annotations) && { annotations: textsOf(annotations) }),
    ...(platformRead && { platform: platformRead }),
  };
}

function documentIn(bytes: Uint8Array, what: string): Record<string, unknown> {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    throw new InvalidParameter(`${what}: ${messageOf(error)}`, { cause: error });
  }
  if (!isObject(document)) throw new InvalidParameter(`${what} is not a JSON object`);
  return document;
}

function commonOf({ mediaType, annotations }: Record<string, unknown>) {
  return {
    schemaVersion: 2 as const,
    ...(typeof mediaType === "string" && { mediaType }),
    ...(isObject(annotations) && { annotations: textsOf(annotations) }),
  };
}

/** What an entry of an index or an image's config says; undefined when nothing. */
export function platformIn(value: unknown): Platform | undefined {
  if (!isObject(value) || typeof value.os !== "string" || typeof value.architecture !== "string") return undefined;
  const { os, architecture, variant, "os.version": version, "os.features": features } = value;
  return {
    os,
    architecture,
    ...(typeof version === "string" && version !== "" && { "os.version": version }),
    ...(Array.isArray(features) && { "os.features": features.filter((each) => typeof each === "string") }),
    ...(typeof variant === "string" && variant !== "" && { variant }),
  };
}

function textsOf(value: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
