import { freed } from "../../archive/index.js";
import type { LayerStore } from "../../layer/index.js";
import { pastBadMirrors, type Repository } from "../../registry/index.js";
import { type ChainID, DataLoss, DigestMismatch, InvalidParameter, NotFound } from "../../spec/index.js";
import { labelled } from "../../threads/index.js";
import { retrying } from "../retrying.js";
import type { Slots } from "../slots.js";
import { Download } from "./download.js";
import type { WantedLayer } from "./plan.js";
import type { Brought, Watch } from "./transfer.js";
import { inTurn } from "./turn.js";

/** Milliseconds between two messages about one layer, as dockerd has it. */
const pace = 100;

/** Bytes of a blob that are read on after its content turned out bad, to know whether the registry's copy is damaged. */
const readOn = 64 * 1024 * 1024;

export interface FetchParts {
  readonly layers: LayerStore;
  readonly repository: Repository;
  readonly signal: AbortSignal;
  readonly tell: Watch;
  /** Those of an image's layers to be unpacked. */
  readonly turns: Slots;
}

/**
 * Streams a layer from the registry into its directory, verified on the way: the blob's size and digest, what it
 * unpacks to.
 *
 * @param below the chain it belongs upon, registered and held; only where the driver makes layers upon others
 * @throws DataLoss, InvalidParameter: in Docker's words; what the registry threw
 */
export function fetchLayer(wanted: WantedLayer, parts: FetchParts, below?: ChainID): Promise<Brought> {
  return pastBadMirrors((mirrors) => fetched(wanted, { ...parts, mirrors }, below));
}

async function fetched(
  wanted: WantedLayer,
  { mirrors, ...parts }: FetchParts & { readonly mirrors: boolean },
  below: ChainID | undefined,
): Promise<Brought> {
  const { layers, repository, signal, turns } = parts;
  const { blob, diffID, label } = wanted;
  const progress = new Progress(blob.size, parts.tell);
  const onRetry = (_why: Error, _offset: number, delayMs: number) => progress.retrying(delayMs);
  const bytes = freed(repository.blob(blob, { signal, onRetry, mirrors }));
  await using download = new Download(checked(bytes, progress), (taken) => progress.downloaded(taken));
  let used = 0;
  const waiting = () => (progress.isComplete ? Number.POSITIVE_INFINITY : download.taken - used);
  const unpack = async (): Promise<Brought> => {
    const onBytes = (taken: number) => {
      used = taken;
      progress.extracting(taken);
    };
    const options = { label, expected: diffID, signal, onBytes };
    if (layers.canUnpack) return { loose: await layers.unpack(download, options) };
    const { chainID } = await layers.register(download, { ...options, ...(below && { parent: below }) });
    return { held: { [Symbol.asyncDispose]: async () => void (await layers.release(chainID)) } };
  };
  try {
    await download.begun();
    return await inTurn(turns, signal, waiting, unpack);
  } catch (error) {
    throw signal.aborted ? error : await explained(error, wanted, download, mirrors && repository.isMirrored);
  }
}

async function* checked(bytes: AsyncIterable<Uint8Array>, progress: Progress): AsyncGenerator<Uint8Array> {
  yield* bytes;
  progress.complete();
}

/**
 * Damaged on its way, or made wrong: the blob's digest says.
 *
 * @param isMirrored whether others than the registry may have sent it: then it has to be known
 */
async function explained(
  error: unknown,
  { blob, diffID, label }: WantedLayer,
  download: Download,
  isMirrored: boolean,
): Promise<unknown> {
  const bad = error instanceof InvalidParameter || error instanceof DataLoss;
  const isWorthIt = bad && (isMirrored || blob.size - download.taken <= readOn);
  const left = isWorthIt ? download.finish() : Promise.resolve();
  const cause = await left.then(
    () => error,
    (why: unknown) => why,
  );
  if (cause instanceof NotFound) return labelled(label, cause);
  if (!(cause instanceof DigestMismatch)) return cause;
  if (cause.expected === blob.digest) {
    return new DataLoss(`filesystem layer verification failed for digest ${blob.digest}`, { cause });
  }
  if (cause.expected !== diffID) return cause;
  const why = `${label} unpacks to ${cause.actual}, not to ${diffID}`;
  return new InvalidParameter(`layers from manifest don't match image configuration: ${why}`, { cause });
}

/** Words for a layer that is unpacked while it still comes in: what is not here yet counts, then what is not on disk. */
class Progress {
  readonly #total: number;
  readonly #tell: Watch;
  #toldAt = Number.NEGATIVE_INFINITY;
  /** Whether all has come. */
  isComplete = false;

  constructor(total: number, tell: Watch) {
    this.#total = total;
    this.#tell = tell;
  }

  downloaded(current: number): void {
    this.#figure("Downloading", current);
    if (current === this.#total) this.#tell({ status: "Verifying Checksum" });
  }

  complete(): void {
    this.isComplete = true;
    this.#tell({ status: "Download complete" });
  }

  /** @param current what has been taken in; the last of it may not be on disk yet */
  extracting(current: number): void {
    if (this.isComplete && current < this.#total) this.#figure("Extracting", current);
  }

  retrying(delayMs: number): void {
    this.#tell({ status: retrying(delayMs) });
  }

  #figure(status: string, current: number): void {
    const now = performance.now();
    if (now - this.#toldAt < pace && current < this.#total) return;
    this.#toldAt = now;
    this.#tell({ status, current, total: this.#total });
  }
}
