import { Slots } from "../slots.js";
import type { BringParts } from "./bring-layers.js";
import { KeptLayers, type KeptOptions } from "./kept-layers.js";
import { Transfers } from "./transfers.js";

export interface PullsOptions extends KeptOptions {
  /** How many layers are fetched at once; 0 is any number. */
  readonly atOnce: number;
}

/** What all pulls into one store share. To be opened before layers that nothing refers to are pruned. */
export async function openPulls({ atOnce, ...options }: PullsOptions): Promise<BringParts> {
  const { layers } = options;
  const kept = await KeptLayers.open(options);
  return { layers, kept, transfers: new Transfers(layers), downloads: new Slots(atOnce) };
}
