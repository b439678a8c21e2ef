import type { Layer, LooseLayer, UnpackOptions } from "../../layer/index.js";
import { type ChainID, type DiffID, DigestMismatch, InvalidParameter, type Undo, verified } from "../../spec/index.js";
import { labelled } from "../../threads/index.js";
import type { EarlyLayer } from "./early-layer.js";
import type { Intake } from "./intake.js";
import type { LayerSource } from "./plan.js";
import type { LoadTargets } from "./targets.js";
import { paced, type Telling } from "./telling.js";

export interface Taking extends Telling {
  readonly targets: LoadTargets;
  readonly intake: Intake;
  /** Gives all layers back that were taken, when it ends. */
  readonly held: Undo;
}

/** A layer that the store does not have where it belongs. */
export interface Wanted {
  readonly source: LayerSource;
  /** How progress names it. */
  readonly id: string;
  /** What the image says it is, and its place from the bottom, from 0; archives of the oldest form do not tell. */
  readonly promised?: { readonly diffID: DiffID; readonly at: number };
}

/** A layer's file, unpacked now, unless it has been already. @throws InvalidParameter: it is not what the image says */
export async function unpacked(taking: Taking, wanted: Wanted): Promise<LooseLayer> {
  const { content } = wanted.source.find();
  try {
    const loose = content.kind === "unpacked" ? content.layer.take() : undefined;
    if (content.kind === "unpacked" && loose) return await checked(taking, wanted, content.layer, loose);
    return await taking.targets.layers.unpack(tarOf(taking, wanted), optionsFor(taking, wanted));
  } catch (error) {
    throw namedMismatch(error, wanted);
  }
}

/** A layer's file, unpacked upon `parent`, where layers can be made so only. @throws as `unpacked` */
export async function registered(taking: Taking, wanted: Wanted, parent: ChainID | undefined): Promise<Layer> {
  const options = { ...optionsFor(taking, wanted), ...(parent && { parent }) };
  return taking.targets.layers.register(tarOf(taking, wanted), options).catch((error) => {
    throw namedMismatch(error, wanted);
  });
}

/** What was unpacked before anything was known of it has to be what is wanted now. */
async function checked(
  { signal }: Taking,
  { source: { label, blob }, promised }: Wanted,
  early: EarlyLayer,
  unpacking: Promise<LooseLayer>,
): Promise<LooseLayer> {
  const loose = await unpacking.catch((error) => {
    throw signal.aborted ? signal.reason : labelled(label, error);
  });
  const digest = await early.digest;
  if (blob && digest !== blob.digest) throw new DigestMismatch(label, blob.digest, digest);
  if (promised && loose.diffID !== promised.diffID) throw new DigestMismatch(label, promised.diffID, loose.diffID);
  return loose;
}

/** The file as it came, or what it unpacks to. */
function tarOf({ targets, intake, signal }: Taking, { source }: Wanted): AsyncIterable<Uint8Array> {
  const { content } = source.find();
  if (content.kind === "known") return targets.layers.tar(content.chainID, { signal });
  if (content.kind === "unpacked") return content.layer.tar(signal);
  const bytes = intake.spool.read(content.place);
  return source.blob ? verified(bytes, source.blob, source.label) : bytes;
}

function optionsFor(taking: Taking, { source, id, promised }: Wanted): UnpackOptions {
  const { size, content } = source.find();
  return {
    label: source.label,
    signal: taking.signal,
    ...(promised && { expected: promised.diffID }),
    ...(content.kind === "kept" && { onBytes: paced(taking, id, size) }),
  };
}

/** dockerd's words for another content than promised. */
function namedMismatch(error: unknown, { promised }: Wanted): unknown {
  if (!promised || !(error instanceof DigestMismatch) || error.expected !== promised.diffID) return error;
  const { diffID, at } = promised;
  return new InvalidParameter(
    `invalid diffID for layer ${at}: expected ${JSON.stringify(diffID)}, got ${JSON.stringify(error.actual)}`,
    { cause: error },
  );
}
