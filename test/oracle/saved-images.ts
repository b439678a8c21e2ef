import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { output } from "./run.js";
import { scratch } from "./scratch.js";

/** An image of a docker archive, every digest computed anew from the bytes. */
export interface SavedImage {
  readonly id: string;
  readonly tags: readonly string[];
  /** What the config promises. */
  readonly diffIDs: readonly string[];
  /** What the layers' bytes hash to. */
  readonly layers: readonly string[];
}

/** Reads a docker archive with GNU tar, following the symlinks between layers that dockerd writes. */
export async function savedImages(archive: string): Promise<SavedImage[]> {
  await using unpacked = await scratch();
  await output("tar", ["-xf", archive, "-C", unpacked.path]);
  const manifest = JSON.parse(await readFile(join(unpacked.path, "manifest.json"), "utf8")) as ManifestItem[];
  return await Promise.all(manifest.map((item) => savedImage(unpacked.path, item)));
}

interface ManifestItem {
  readonly Config: string;
  readonly RepoTags: string[] | null;
  readonly Layers: string[];
}

async function savedImage(directory: string, { Config, RepoTags, Layers }: ManifestItem): Promise<SavedImage> {
  const config = await readFile(join(directory, Config));
  const { rootfs } = JSON.parse(config.toString()) as { rootfs: { diff_ids: string[] } };
  const layers = await Promise.all(Layers.map((layer) => digestOf(join(directory, layer))));
  return { id: sha256(config), tags: RepoTags ?? [], diffIDs: rootfs.diff_ids, layers };
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return `sha256:${hash.digest("hex")}`;
}

/** Writes a stream to a file. @returns the file's path */
export async function spooled(bytes: AsyncIterable<Uint8Array>, file: string): Promise<string> {
  await pipeline(Readable.from(bytes), createWriteStream(file));
  return file;
}
