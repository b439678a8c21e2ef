import type { Descriptor, Platform } from "../../spec/index.js";

/** Go's word for an architecture, by Node's. */
const architectures: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  ppc64: "ppc64le",
  mipsel: "mipsle",
};

/** What this machine runs. */
export const thisPlatform: Platform = {
  os: "linux",
  architecture: architectures[process.arch] ?? process.arch,
  ...(process.arch === "arm" && { variant: "v7" }),
};

export function platformText({ os, architecture, variant }: Platform): string {
  return variant ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`;
}

/**
 * Of these descriptors the one that runs on `wanted`, or undefined. One that says no platform fits all.
 *
 * @param wanted this machine's platform when left out
 */
export function forThisPlatform(
  descriptors: readonly Descriptor[],
  wanted: Platform = thisPlatform,
): Descriptor | undefined {
  const ranked = descriptors.map((descriptor) => ({ descriptor, rank: rankOf(descriptor.platform, wanted) }));
  const fitting = ranked.filter(({ rank }) => rank > 0).sort((a, b) => b.rank - a.rank);
  return fitting[0]?.descriptor;
}

/** Whether an image that says it is for `platform` runs on `wanted`. */
export function runsOn(platform: Platform, wanted: Platform): boolean {
  return rankOf(platform, wanted) > 0;
}

/** 0: does not run there; the higher, the better it fits: the variant itself, then those below it, the nearest first. */
function rankOf(platform: Platform | undefined, wanted: Platform): number {
  if (!platform) return 1;
  if (platform.os !== wanted.os || platform.architecture !== wanted.architecture) return 0;
  const [variant, limit] = [platform, wanted].map(variantOf) as [number, number];
  if (variant === limit) return 1000;
  if (variant < limit) return 100 + variant;
  // One that may ask too much, but not where all that run are much alike.
  return platform.architecture === "arm64" ? 2 : 0;
}

const usualVariants: Readonly<Record<string, string>> = { amd64: "v1", arm64: "v8", arm: "v7" };

function variantOf({ architecture, variant }: Platform): number {
  return Number(/^v(\d+)/.exec(variant ?? usualVariants[architecture] ?? "")?.[1] ?? 0);
}
