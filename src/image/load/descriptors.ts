import { type Descriptor, InvalidParameter, type Platform, parseDigest } from "../../spec/index.js";
import { isObject } from "./archive.js";

/** The descriptors an index lists. @param where names it in errors. @throws InvalidParameter */
export function descriptorsIn(index: unknown, where: string, key: "manifests" | "layers" = "manifests"): Descriptor[] {
  const list = isObject(index) ? (index[key] ?? []) : undefined;
  if (!Array.isArray(list)) throw new InvalidParameter(`invalid archive: ${where} has no list of ${key}`);
  return list.map((item, at) => descriptorIn(item, `${key}[${at}] of ${where}`));
}

/** A descriptor out of JSON, its kinds checked. @throws InvalidParameter */
export function descriptorIn(value: unknown, where: string): Descriptor {
  const bad = (why: string) => new InvalidParameter(`invalid archive: ${where} ${why}`);
  if (!isObject(value)) throw bad("is not a descriptor");
  const { mediaType = "", digest, size, annotations, platform } = value;
  if (typeof mediaType !== "string") throw bad("has a mediaType that is no text");
  if (typeof digest !== "string") throw bad("has no digest");
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) throw bad("has no size");
  const platformRead = platformIn(platform);
  return {
    mediaType,
    digest: parseDigest(digest),
    size,
    ...(isObject(annotations) && { annotations: textsOf(annotations) }),
    ...(platformRead && { platform: platformRead }),
  };
}

function platformIn(value: unknown): Platform | undefined {
  if (!isObject(value) || typeof value.os !== "string" || typeof value.architecture !== "string") return undefined;
  const { os, architecture, variant } = value;
  return { os, architecture, ...(typeof variant === "string" && variant !== "" && { variant }) };
}

function textsOf(value: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
