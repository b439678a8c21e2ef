import { type ChainID, shortID } from "../spec/index.js";
import type { DeepOptions } from "./deep/deep-check.js";

/** How far something is, in the shape in which a pull tells its own. */
export interface Progress {
  readonly id: string;
  readonly status: string;
  /** Bytes; without `total` nobody knows how many there are. */
  readonly progressDetail?: { readonly current: number; readonly total?: number };
}

/** How lines name a layer. */
export function layerText(layer: ChainID): string {
  return `layer ${shortID(layer)}`;
}

/** Of one thing only the newest count is told. */
export function replaces(old: object, next: object): boolean {
  return isCount(old) && isCount(next) && old.id === next.id;
}

function isCount(event: object): event is Progress {
  return "id" in event && "progressDetail" in event && event.progressDetail !== undefined;
}

/** What a deep check tells, a line a layer. */
export function deepProgress(tell: (progress: Progress) => void): Pick<DeepOptions, "onBytes" | "onLayer"> {
  return {
    onBytes: (layer, current, total) => {
      const progressDetail = { current: Math.min(current, total), total };
      tell({ id: layerText(layer), status: "Comparing", progressDetail });
    },
    onLayer: (layer, isWhole) => tell({ id: layerText(layer), status: isWhole ? "as it should be" : "differs" }),
  };
}

/** The same bytes, told of as they are read. @param total bytes, where that is known */
export async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  total: number | undefined,
  tell: (progressDetail: NonNullable<Progress["progressDetail"]>) => void,
): AsyncGenerator<Uint8Array> {
  let current = 0;
  for await (const piece of bytes) {
    current += piece.length;
    tell({ current, ...(total !== undefined && { total }) });
    yield piece;
  }
}
