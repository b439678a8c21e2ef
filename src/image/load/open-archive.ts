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
  /** What opens a layer's file, packed as it is: whether it unpacks to that DiffID is for the reader to see. */
  readonly layers: ReadonlyMap<DiffID, () => AsyncIterable<Uint8Array>>;
}

/**
 * Looks into an archive on the disk: what `docker save` writes, but for the form before Docker 1.10, or an OCI layout.
 *
 * @param tmp a directory that takes what a compressed archive is unpacked to
 * @throws InvalidParameter: it is none
 */
export async function openArchive(path: string, tmp: string): Promise<ArchiveContents> {
  await using failed = new Undo();
  const { spool, all } = await spoolOf(path, tmp);
  failed.defer(() => spool[Symbol.asyncDispose]());
  const index = await indexTar(spool.read(all));
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

/** A plain archive is read where it lies. */
async function spoolOf(path: string, tmp: string): Promise<{ readonly spool: Spool; readonly all: Place }> {
  const file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0);
  if (compressionOf(buffer.subarray(0, bytesRead)) === "none") {
    return { spool: Spool.over(file, path), all: { offset: 0, size: (await file.stat()).size } };
  }
  await using undo = new Undo();
  const spool = await Spool.open(tmp);
  undo.defer(() => spool[Symbol.asyncDispose]());
  const all = await spool.keep(decompressed(file.createReadStream({ start: 0, highWaterMark: 1 << 20 })));
  undo.done();
  return { spool, all };
}

function keptAt({ offset: start }: Place, { offset, size }: TarIndexEntry): Content {
  return { kind: "kept", place: { offset: start + offset, size } };
}

async function plansIn(archive: Archive): Promise<ImagePlan[]> {
  if (archive.has("manifest.json")) return await dockerPlans(archive);
  if (archive.has("index.json")) return await ociPlans(archive);
  throw new InvalidParameter("it has no manifest.json and no index.json: it is no archive of images");
}

function layersOf({ config, layers }: ImagePlan, spool: Spool): [DiffID, () => AsyncIterable<Uint8Array>][] {
  return layers.map((source, at) => [config.rootfs.diff_ids[at]!, () => bytesOf(source, spool)]);
}

async function* bytesOf({ find, blob, label }: LayerSource, spool: Spool): AsyncGenerator<Uint8Array> {
  const { content } = find();
  if (content.kind !== "kept") throw new InvalidParameter(`${label} is not in the archive`);
  const bytes = spool.read(content.place);
  yield* blob ? verified(bytes, blob, label) : bytes;
}
