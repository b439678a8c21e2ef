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

/** Of these descriptors the one for this machine; undefined when none is. Without a platform it fits all. */
export function forThisPlatform(descriptors: readonly Descriptor[]): Descriptor | undefined {
  const ranked = descriptors.map((descriptor) => ({ descriptor, rank: rankOf(descriptor.platform) }));
  const fitting = ranked.filter(({ rank }) => rank > 0).sort((a, b) => b.rank - a.rank);
  return fitting[0]?.descriptor;
}

/** 0: does not run here; the higher, the better it fits. Without variant stands before one that may ask too much. */
function rankOf(platform: Platform | undefined): number {
  if (!platform) return 1;
  if (platform.os !== thisPlatform.os || platform.architecture !== thisPlatform.architecture) return 0;
  const variant = platform.variant ?? usualVariant;
  if (variant === usualVariant) return 4;
  return variant < usualVariant ? 3 : platform.architecture === "arm64" ? 2 : 0;
}

const usualVariants: Readonly<Record<string, string>> = { amd64: "v1", arm64: "v8", arm: "v7" };
const usualVariant = usualVariants[thisPlatform.architecture] ?? "";
