import { availableParallelism } from "node:os";
import type { LayerStore } from "../../layer/index.js";
import { Passing, type Repository } from "../../registry/index.js";
import type { ChainID, Undo } from "../../spec/index.js";
import { eitherSignal } from "../either-signal.js";
import { Slots } from "../slots.js";
import { fetchLayer } from "./fetch.js";
import type { KeptLayers } from "./kept-layers.js";
import type { LayerMessages } from "./messages.js";
import type { WantedLayer } from "./plan.js";
import type { Fetch, Watch } from "./transfer.js";
import type { Share, Transfers } from "./transfers.js";
import { unlessAborted } from "./unless-aborted.js";

/** That one layer keeps busy. */
const threadsEach = 2;

export interface BringParts {
  readonly layers: LayerStore;
  readonly transfers: Transfers;
  /** How many are fetched at once. */
  readonly downloads: Slots;
  readonly kept: KeptLayers;
}

export interface Bringing {
  readonly repository: Repository;
  readonly messages: LayerMessages;
  readonly signal: AbortSignal;
  /** Gives the layers back, when it ends. */
  readonly held: Undo;
}

/**
 * Sees to it that the layers of an image are in the store, and holds them. Those that are missing come at the same
 * time and get their places in one step. When it is aborted or the registry fails for a passing reason,
 * layers that have come whole, with all below them, are kept for the next try.
 *
 * @param wanted bottom first
 * @returns those that were fetched
 */
export async function bringLayers(
  parts: BringParts,
  wanted: readonly WantedLayer[],
  bringing: Bringing,
): Promise<readonly WantedLayer[]> {
  const { layers, transfers } = parts;
  const { messages, held } = bringing;
  const known = wanted.filter(({ chainID }) => layers.find(chainID));
  const base = known.at(-1)?.chainID;
  if (base) {
    layers.acquire(base);
    held.defer(() => layers.release(base));
  }
  for (const { blob } of known) messages.tell(blob.digest, { status: "Already exists" });
  const missing = wanted.slice(known.length);
  const shares = await allArrived(parts, missing, bringing, base);
  await transfers.place(shares, base);
  for (const share of shares) share.tell({ status: "Pull complete" });
  return missing;
}

async function allArrived(
  parts: BringParts,
  missing: readonly WantedLayer[],
  bringing: Bringing,
  base: ChainID | undefined,
): Promise<Share[]> {
  const failed = new AbortController();
  const signal = eitherSignal(bringing.signal, failed.signal);
  const arrivals: Promise<Share>[] = [];
  const turns = new Slots(Math.ceil(availableParallelism() / threadsEach));
  for (const [at, wanted] of missing.entries()) {
    const below = missing[at - 1]?.chainID ?? base;
    const fetch = fetching(parts, wanted, bringing.repository, { turns, below, ready: arrivals[at - 1] });
    arrivals.push(arrived(parts.transfers, wanted, fetch, { ...bringing, signal }));
  }
  try {
    return await Promise.all(arrivals);
  } catch (error) {
    failed.abort(error);
    const ended = await Promise.allSettled(arrivals);
    if (bringing.signal.aborted || error instanceof Passing) await keep(parts, wholeIn(ended), base);
    throw error;
  }
}

/** Those that have come with all below them. */
function wholeIn(ended: readonly PromiseSettledResult<Share>[]): Share[] {
  const cut = ended.findIndex(({ status }) => status === "rejected");
  return ended.slice(0, cut).flatMap((end) => (end.status === "fulfilled" ? [end.value] : []));
}

/** Places layers and keeps them. What cannot be kept is given back; why the pull failed is what counts. */
async function keep({ transfers, kept }: BringParts, shares: readonly Share[], base: ChainID | undefined) {
  const top = shares.at(-1);
  if (!top) return;
  const placed = transfers.place(shares, base).then(() => kept.keep(top.chainID));
  await placed.catch(() => undefined);
}

/** When a layer is fetched. */
interface Order {
  /** To be unpacked: those of the image's layers. */
  readonly turns: Slots;
  /** What it belongs upon. */
  readonly below: ChainID | undefined;
  /** Resolves when that is there, if it is not yet. */
  readonly ready: Promise<unknown> | undefined;
}

/** How a layer is fetched, when it is its turn. */
function fetching(
  { layers, downloads }: BringParts,
  wanted: WantedLayer,
  repository: Repository,
  { turns, below, ready }: Order,
): Fetch {
  return async (signal, tell) => {
    const onWait = () => tell({ status: "Waiting" });
    if (!layers.canUnpack && ready) {
      onWait();
      await ready;
    }
    const fetchParts = { layers, repository, signal, tell, turns };
    return downloads.run(() => fetchLayer(wanted, fetchParts, below), { signal, onWait });
  };
}

/** A share in a layer that has come. What another pull began and could not end is tried once more from here. */
async function arrived(
  transfers: Transfers,
  wanted: WantedLayer,
  fetch: Fetch,
  { messages, signal, held }: Bringing,
): Promise<Share> {
  const { blob } = wanted;
  const watch: Watch = (state) => messages.tell(blob.digest, state);
  watch({ status: "Pulling fs layer" });
  for (;;) {
    const share = transfers.join(wanted, fetch, watch);
    try {
      await unlessAborted(share.arrived, signal);
      held.defer(() => share[Symbol.asyncDispose]());
      watch({ status: "Extracting", current: blob.size, total: blob.size });
      return share;
    } catch (error) {
      await share[Symbol.asyncDispose]();
      if (share.own || signal.aborted) throw error;
    }
  }
}
