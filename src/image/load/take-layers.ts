import type { LayerStore } from "../../layer/index.js";
import {
  type ChainID,
  type DiffID,
  DigestMismatch,
  InvalidParameter,
  nextChainID,
  shortID,
  type Undo,
} from "../../spec/index.js";
import type { LoadEvent } from "./events.js";
import type { LayerSource } from "./plan.js";

/** Milliseconds between two messages about one layer, as dockerd has it. */
const pace = 100;

export interface Taking {
  readonly layers: LayerStore;
  readonly tell: (event: LoadEvent) => void;
  readonly signal: AbortSignal;
  /** Gives all layers back that were taken, when it ends. */
  readonly held: Undo;
}

/**
 * Sees to it that a layer is in the store, and holds it: one that is there already is not even read.
 *
 * @param at its place from the bottom, from 0
 * @throws InvalidParameter: its content is not what `diffID` says
 */
export async function takeLayer(
  { layers, tell, signal, held }: Taking,
  source: LayerSource,
  { at, diffID, below }: { readonly at: number; readonly diffID: DiffID; readonly below: ChainID | undefined },
): Promise<ChainID> {
  const chainID = nextChainID(below, diffID);
  if (layers.find(chainID)) layers.acquire(chainID);
  else {
    const { size, body } = source.open();
    const onBytes = paced(tell, shortID(diffID), size);
    const options = { label: source.label, expected: diffID, signal, onBytes, ...(below && { parent: below }) };
    await layers.register(body, options).catch((error) => {
      throw namedMismatch(error, at, diffID);
    });
    onBytes(size);
  }
  held.defer(() => layers.release(chainID));
  return chainID;
}

/** Tells how far a layer is: its beginning, then now and then, and its end. */
export function paced(tell: (event: LoadEvent) => void, id: string, total: number): (current: number) => void {
  let told = -1;
  let toldAt = Number.NEGATIVE_INFINITY;
  return (current) => {
    const now = performance.now();
    if (current === told || (current < total && now - toldAt < pace)) return;
    [told, toldAt] = [current, now];
    tell({ kind: "layer", id, current, total });
  };
}

function namedMismatch(error: unknown, at: number, diffID: DiffID): unknown {
  if (!(error instanceof DigestMismatch) || error.expected !== diffID) return error;
  return new InvalidParameter(
    `invalid diffID for layer ${at}: expected ${JSON.stringify(diffID)}, got ${JSON.stringify(error.actual)}`,
    { cause: error },
  );
}
