import { expect } from "vitest";
import { type Sample, withManifest } from "../../../test/oracle/image-archives.js";
import { configOf, inPieces, layerTar, type Stores } from "../../../test/oracle/image-stores.js";
import { lacking } from "../../../test/oracle/programs.js";
import { familiarString, hexOf, type ImageID, sha256 } from "../../spec/index.js";
import type { LoadEvent } from "./events.js";
import { loadArchive } from "./load-archive.js";

/** With vfs the archive is kept until layers can be registered one upon the other, with overlay2 they do not wait. */
export const drivers = lacking("root", "mounts") ? (["vfs"] as const) : (["vfs", "overlay2"] as const);

export const bottom = layerTar({ "etc/a": "bottom" });
export const middle = layerTar({ "etc/b": "middle".repeat(100) });
export const top = layerTar({ "etc/c": "top" });
export const sample: Sample = { layers: [bottom, middle, top], tags: ["app:1", "localhost:5000/app:2"] };
export const idOf = (image: Sample) => sha256(image.config ?? configOf(image.layers)) as ImageID;

/** A docker archive in which each layer's file has the name of its DiffID, as skopeo and podman write it. */
export function namedByDigest({ layers, tags = [] }: Sample): Buffer {
  const files = layers.map((layer) => [`${hexOf(sha256(layer))}.tar`, layer] as const);
  const item = { Config: "c.json", RepoTags: tags, Layers: files.map(([name]) => name) };
  return withManifest([item], { "c.json": configOf(layers), ...Object.fromEntries(files) });
}

export async function load(stores: Stores, archive: Buffer, pieces = 100_000): Promise<LoadEvent[]> {
  const events: LoadEvent[] = [];
  for await (const event of loadArchive(inPieces(archive, pieces), stores)) events.push(event);
  return events;
}

/** What was loaded, as `docker load` says it at the end. */
export const loaded = (events: readonly LoadEvent[]) =>
  events.flatMap((event) =>
    event.kind === "loaded" ? [event.refs.length > 0 ? event.refs.map(familiarString).join() : event.id] : [],
  );

export const names = ({ references }: Stores) => references.all().map(({ ref, id }) => `${familiarString(ref)} ${id}`);

export async function expectWhole(stores: Stores, ...images: readonly Sample[]): Promise<void> {
  expect(
    stores.images
      .list()
      .map(({ id }) => id)
      .sort(),
  ).toEqual(images.map(idOf).sort());
  expect(names(stores)).toEqual(
    images.flatMap((image) => (image.tags ?? []).map((tag) => `${tag} ${idOf(image)}`)).sort(),
  );
  expect(await stores.left()).toEqual([]);
}
