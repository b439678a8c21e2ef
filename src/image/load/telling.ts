import type { LoadEvent } from "./events.js";

/** How a load that goes on is in touch with who asked for it. */
export interface Telling {
  readonly tell: (event: LoadEvent) => void;
  readonly signal: AbortSignal;
}

/** Milliseconds between two messages about one layer, as dockerd has it. */
const pace = 100;

/** Tells how far a layer is: its beginning, then now and then, and its end. */
export function paced({ tell }: Telling, id: string, total: number): (current: number) => void {
  let told = -1;
  let toldAt = Number.NEGATIVE_INFINITY;
  return (current) => {
    const now = performance.now();
    if (current === told || (current < total && now - toldAt < pace)) return;
    [told, toldAt] = [current, now];
    tell({ kind: "layer", id, current, total });
  };
}
