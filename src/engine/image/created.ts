import type { ImageConfig } from "../../spec/index.js";
import { parseRFC3339 } from "../../spec/index.js";

const zeroNs = -62_135_596_800_000_000_000n;

/** When an image or a step was made, in nanoseconds since 1970; year 1 when it does not say. */
export function createdNs({ created }: Pick<ImageConfig, "created">): bigint {
  return (created === undefined ? undefined : parseRFC3339(created)) ?? zeroNs;
}

/** The same in whole seconds, as lists show it. */
export function createdSeconds(made: Pick<ImageConfig, "created">): number {
  const ns = createdNs(made);
  return Number((ns - (((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n)) / 1_000_000_000n);
}
