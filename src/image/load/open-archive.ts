import { open } from "node:fs/promises";
import { compressionOf, decompressed, indexTar, type TarIndexEntry } from "../../archive/index.js";
import { type DiffID, type ImageID, InvalidParameter, type Reference, Undo, verified } from "../../spec/index.js";
import { Archive } from "./archive.js";
import { dockerPlans } from "./docker-archive.js";
import { ociPlans } from "./oci-layout.js";
import type { ImagePlan, LayerSource } from "./plan.js";
import type { Content } from "./sorting.js";
import { type Place, Spool } from "./spool.js";

/** What an archive of images offers, by what its configs say; nothing of it is taken in. Disposing closes it. */
export interface ArchiveContents extends AsyncDisposable {
  /** Configs, hashed. */
  readonly images: ReadonlyMap<ImageID, Uint8Array>;
  /** What it calls them; those without a name are not in it. */
  readonly tags: ReadonlyMap<ImageID, readonly Reference[]>;
  readonly layers: ReadonlyMap<DiffID, LayerFile>;
}

/** A layer's file, packed as it is: whether it unpacks to the DiffID is for the reader to see. */
export interface LayerFile {
  /** Bytes. @throws InvalidParameter: the archive does not have it */
  size(): number;
  open(): AsyncIterable<Uint8Array>;
}

export interface OpenArchiveOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told how much of the file has been read. */
  readonly onBytes?: ((read: number, total: number) => void) | undefined;
}

/**
 * Looks into an archive on the disk: what `docker save` writes, but for the form before Docker 1.10, or an OCI layout.
 *
 * @param tmp a directory that takes what a compressed archive is unpacked to
 * @throws InvalidParameter: it is none; the reason of `signal`
 */
export async function openArchive(
  path: string,
  tmp: string,
  options: OpenArchiveOptions = {},
): Promise<ArchiveContents> {
  await using failed = new Undo();
  const { spool, all, isUnpacked } = await spoolOf(path, tmp, options);
  failed.defer(() => spool[Symbol.asyncDispose]());
  // What was unpacked has been told of.
  const index = await indexTar(watched(spool.read(all), all.size, isUnpacked ? { signal: options.signal } : options));
  const contents = new Map<number, Content>(
    [...index.entries.values()]
      .filter(({ kind }) => kind === "file")
      .map((entry) => [entry.offset, keptAt(all, entry)]),
  );
  const plans = await plansIn(new Archive({ index, contents, spool }));
  failed.done();
  return {
    images: new Map(plans.map(({ id, bytes }) => [id, bytes])),
    tags: tagsIn(plans),
    layers: new Map(plans.flatMap((plan) => layersOf(plan, spool))),
    [Symbol.asyncDispose]: () => spool[Symbol.asyncDispose](),
  };
}

/** Of an image that is in it twice, all. */
function tagsIn(plans: readonly ImagePlan[]): Map<ImageID, Reference[]> {
  const found = new Map<ImageID, Reference[]>();
  for (const { id, tags } of plans) if (tags.length > 0) found.set(id, [...(found.get(id) ?? []), ...tags]);
  return found;
}

interface Spooled {
  readonly spool: Spool;
  readonly all: Place;
  readonly isUnpacked: boolean;
}

/** A plain archive is read where it lies. */
async function spoolOf(path: string, tmp: string, options: OpenArchiveOptions): Promise<Spooled> {
  const file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0);
  const { size } = await file.stat();
  if (compressionOf(buffer.subarray(0, bytesRead)) === "none") {
    return { spool: Spool.over(file, path), all: { offset: 0, size }, isUnpacked: false };
  }
  await using undo = new Undo();
  const spool = await Spool.open(tmp);
  undo.defer(() => spool[Symbol.asyncDispose]());
  const packed = file.createReadStream({ start: 0, highWaterMark: 1 << 20 });
  const all = await spool.keep(decompressed(watched(packed, size, options)));
  undo.done();
  return { spool, all, isUnpacked: true };
}

async function* watched(
  bytes: AsyncIterable<Uint8Array>,
  total: number,
  { signal, onBytes }: OpenArchiveOptions,
): AsyncGenerator<Uint8Array> {
  let read = 0;
  for await (const piece of bytes) {
    signal?.throwIfAborted();
    read += piece.length;
    onBytes?.(read, total);
    yield piece;
  }
}

function keptAt({ offset: start }: Place, { offset, size }: TarIndexEntry): Content {
  return { kind: "kept", place: { offset: start + offset, size } };
}

async function plansIn(archive: Archive): Promise<ImagePlan[]> {
  if (archive.has("manifest.json")) return await dockerPlans(archive);
  if (archive.has("index.json")) return await ociPlans(archive);
  throw new InvalidParameter("it has no manifest.json and no index.json: it is no archive of images");
}

function layersOf({ config, layers }: ImagePlan, spool: Spool): [DiffID, LayerFile][] {
  return layers.map((source, at) => [
    config.rootfs.diff_ids[at]!,
    { size: () => source.find().size, open: () => bytesOf(source, spool) },
  ]);
}

async function* bytesOf({ find, blob, label }: LayerSource, spool: Spool): AsyncGenerator<Uint8Array> {
  const { content } = find();
  if (content.kind !== "kept") throw new InvalidParameter(`${label} is not in the archive`);
  const bytes = spool.read(content.place);
  yield* blob ? verified(bytes, blob, label) : bytes;
}
