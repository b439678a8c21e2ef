import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Blobs, dockerArchive, refName } from "../../../test/oracle/image-archives.js";
import { freshStores, gathered, inPieces } from "../../../test/oracle/image-stores.js";
import { type DiffID, LayerkitError, sha256 } from "../../spec/index.js";
import { bottom, drivers, middle, sample, top } from "./load.test.tools.js";
import { loadArchive } from "./load-archive.js";

let stores: Awaited<ReturnType<typeof freshStores>>;

const blobs = new Blobs();
const packed = [gzipSync(bottom), middle, gzipSync(top)];
const archives = {
  docker: dockerArchive([sample, { layers: [bottom], tags: ["other:1"] }]),
  oci: blobs.layout([blobs.manifest(sample, packed, refName("app:1"))]),
  gzip: gzipSync(dockerArchive([sample])),
};

/** Ways to damage bytes; `at` and `length` are shares of the whole. */
const damages: Readonly<Record<string, (bytes: Buffer, at: number, length: number) => Buffer>> = {
  flip: (bytes, at) => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8));
    return copy;
  },
  cut: (bytes, at) => bytes.subarray(0, at),
  drop: (bytes, at, length) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]),
  zero: (bytes, at, length) => {
    const copy = Buffer.from(bytes);
    return copy.fill(0, at, Math.min(at + length, copy.length));
  },
  repeat: (bytes, at, length) => Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]),
};

describe.for(drivers)("on %s", (driver) => {
  beforeAll(async () => {
    stores = await freshStores(driver);
  });
  afterAll(() => stores[Symbol.asyncDispose]());

  test("whatever is damaged, an archive loads whole images or ends in one line, and leaves nothing else", async () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const kind = fc.constantFrom(...(Object.keys(archives) as (keyof typeof archives)[]));
    const blocks = fc.boolean();
    await fc.assert(
      fc.asyncProperty(kind, fc.constantFrom(...Object.keys(damages)), share, share, blocks, async (...args) => {
        const [archive, damage, where, much, inBlocks] = args;
        const bytes = archives[archive];
        const unit = inBlocks ? 512 : 1;
        const place = (at: number, of: number) => Math.floor((at * of) / unit) * unit;
        await load(damages[damage]!(bytes, place(where, bytes.length), place(much, 3000)));
        await expectWholeImages();
        await emptied();
        expect(await stores.left()).toEqual([]);
      }),
      { numRuns: 50 },
    );
  }, 120_000);
});

async function load(archive: Buffer): Promise<void> {
  try {
    for await (const _ of loadArchive(inPieces(archive, 65_536), stores));
  } catch (error) {
    expect(error).toBeInstanceOf(LayerkitError);
    expect((error as Error).message).toMatch(/^[^\n]{1,600}$/);
  }
}

async function expectWholeImages(): Promise<void> {
  for (const { topLayer } of stores.images.list()) {
    for (const { chainID, diffID } of topLayer ? stores.layers.chain(topLayer) : []) {
      expect(sha256(await gathered(stores.layers.tar(chainID))) as DiffID).toBe(diffID);
    }
  }
}

async function emptied(): Promise<void> {
  for (const { ref } of stores.references.all()) await stores.references.delete(ref);
  for (const { id } of stores.images.list()) await stores.images.delete(id);
  expect(stores.layers.list()).toEqual([]);
}
