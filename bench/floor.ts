import { createReadStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { syncFileSystem } from "../src/disk/index.js";
import { output } from "../test/oracle/run.js";
import type { Image } from "./reference-image.js";
import { type Sample, sampled } from "./sample.js";

/**
 * What has to be done by whoever unpacks the image, each thing alone: inflate by Node's zlib, all layers at once; GNU
 * tar, one layer after the other, each into its own directory; and to make that outlive a power cut.
 *
 * @param directory on the disk, to work in
 */
export async function floors({ blobs, layers }: Image, directory: string): Promise<Map<string, Sample>> {
  const inflate = await sampled([], async () => void (await Promise.all(blobs.map(inflated))));
  await mkdir(directory);
  try {
    const tar = await sampled([], () => unpackAll(layers, directory));
    const sync = await sampled([], () => syncFileSystem(directory));
    return new Map([
      ["floor: inflate", inflate],
      ["floor: tar -x", tar],
      ["floor: syncfs after it", sync],
    ]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const chunk = 1 << 20;

async function inflated(blob: string): Promise<void> {
  const nowhere = new Writable({ highWaterMark: chunk, write: (_chunk, _encoding, done) => done() });
  await pipeline(createReadStream(blob, { highWaterMark: chunk }), createGunzip({ chunkSize: chunk }), nowhere);
}

async function unpackAll(layers: readonly string[], into: string): Promise<void> {
  for (const [i, layer] of layers.entries()) {
    const directory = join(into, String(i));
    await mkdir(directory);
    await output("tar", ["--numeric-owner", "-xpf", layer, "-C", directory]);
  }
}
