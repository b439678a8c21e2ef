import { gzipSync } from "node:zlib";
import { describe, expect, test, vi } from "vitest";
import { Blobs, dockerArchive, refName, type Sample, withManifest } from "../../../test/oracle/image-archives.js";
import { configOf, freshStores, gathered, layerTar } from "../../../test/oracle/image-stores.js";
import { rawTar } from "../../../test/oracle/raw-tar.js";
import { hexOf, sha256 } from "../../spec/index.js";
import type { LoadEvent } from "./events.js";
import {
  bottom,
  drivers,
  expectWhole,
  idOf,
  load,
  loaded,
  middle,
  namedByDigest,
  sample,
  top,
} from "./load.test.tools.js";
import { loadArchive } from "./load-archive.js";

/** A layer's file that is not the layer, but begins like one. */
const evil = Buffer.concat([bottom.subarray(0, 512), Buffer.from("BOTTOM"), bottom.subarray(518)]);
const hostile = rawTar([{ name: "../../outside", content: "x" }]);
const layersTold = (events: readonly LoadEvent[]) => events.filter(({ kind }) => kind === "layer");

describe.for(drivers)("an archive that is read once, on %s", (driver) => {
  test("layers that the store has by their names are taken from there, upon other parents too", async () => {
    await using stores = await freshStores(driver);
    await load(stores, namedByDigest(sample));
    const other: Sample = { layers: [top, middle, bottom, top], tags: ["other:1"] };
    const name = (layer: Buffer) => `${hexOf(sha256(layer))}.tar`;
    const files = { [name(bottom)]: evil, [name(middle)]: middle, [name(top)]: top };
    const item = { Config: "c", RepoTags: other.tags, Layers: other.layers.map(name) };
    const events = await load(stores, withManifest([item], { ...files, c: configOf(other.layers) }));
    expect(layersTold(events)).toEqual([]);
    await expectWhole(stores, sample, other);
    for (const { chainID, diffID } of stores.layers.list()) {
      expect(sha256(await gathered(stores.layers.tar(chainID)))).toBe(diffID);
    }
  });

  test("a file named like one layer and wanted for another is refused", async () => {
    await using stores = await freshStores(driver);
    await load(stores, namedByDigest(sample));
    const name = `${hexOf(sha256(bottom))}.tar`;
    const lying = withManifest([{ Config: "c", RepoTags: [], Layers: [name] }], { [name]: evil, c: configOf([evil]) });
    const both = [sha256(evil), sha256(bottom)].map((digest) => JSON.stringify(digest));
    await expect(load(stores, lying)).rejects.toThrow(
      `invalid diffID for layer 0: expected ${both[0]}, got ${both[1]}`,
    );
    await expectWhole(stores, sample);
  });

  test("one layer may be in an image twice, and in several images upon different parents", async () => {
    await using stores = await freshStores(driver);
    const images: Sample[] = [
      { layers: [bottom, top, bottom], tags: ["one:1"] },
      { layers: [top, bottom, top, middle], tags: ["two:1"] },
      { layers: [middle], tags: ["three:1"] },
    ];
    await load(stores, dockerArchive(images));
    await expectWhole(stores, ...images);
    for (const { chainID, diffID } of stores.layers.list()) {
      expect(sha256(await gathered(stores.layers.tar(chainID)))).toBe(diffID);
    }
  });

  test("what only looks like a layer is of no interest, however bad", async () => {
    await using stores = await freshStores(driver);
    const more = [
      hostile,
      bottom.subarray(0, 700),
      gzipSync(bottom).subarray(0, 60),
      gzipSync(Buffer.alloc(3000, "x")),
    ];
    const entries = more.map((content, n) => ({ name: `junk-${n}`, content }));
    await load(stores, dockerArchive([sample], entries));
    await expectWhole(stores, sample);
    const wanted = withManifest([{ Config: "c", RepoTags: [], Layers: ["l"] }], { l: hostile, c: configOf([hostile]) });
    await expect(load(stores, wanted)).rejects.toThrow(/^layer 1 of 1 \("l"\): .*"\.\.\/\.\.\/outside"/);
    await expectWhole(stores, sample);
  });

  test("a document in the form of a layer is none", async () => {
    await using stores = await freshStores(driver);
    const archive = withManifest([{ Config: "c", RepoTags: [], Layers: [] }], { c: bottom });
    await expect(load(stores, archive)).rejects.toMatchObject({ code: "invalid-parameter" });
    await expectWhole(stores);
  });

  test("a compressed layer of an OCI layout is known when it comes again", async () => {
    await using stores = await freshStores(driver);
    const blobs = new Blobs();
    const packed = sample.layers.map((layer) => gzipSync(layer));
    const layout = blobs.layout([blobs.manifest(sample, packed, refName("app:1"))]);
    expect(layersTold(await load(stores, layout)).length).toBeGreaterThanOrEqual(3);
    expect(layersTold(await load(stores, layout))).toEqual([]);
    const upon = layerTar({ first: "x" });
    const other: Sample = { layers: [upon, ...sample.layers], tags: ["upon:1"] };
    const more = blobs.layout([blobs.manifest(other, [upon, ...packed], refName("upon:1"))]);
    expect(new Set(layersTold(await load(stores, more)).map((event) => "id" in event && event.id)).size).toBe(1);
    expect(stores.images.find(idOf(other))).toBeDefined();
  });
});

describe.skipIf(!drivers.some((driver) => driver === "overlay2"))("where layers need no parent", () => {
  test("a large layer that is there is not unpacked for nothing, whatever its file is called", async () => {
    await using stores = await freshStores("overlay2");
    const large = layerTar({ large: "a".repeat(2 << 20) });
    const same = layerTar({ large: "b".repeat(2 << 20) });
    const image: Sample = { layers: [bottom, large], tags: ["large:1"] };
    const unpack = vi.spyOn(stores.layers, "unpack");
    const unpacked = async (...images: Sample[]) => {
      unpack.mockClear();
      await load(stores, dockerArchive(images));
      return unpack.mock.calls.length;
    };
    expect(await unpacked(image)).toBe(2);
    expect(await unpacked(image)).toBe(1);
    const upon: Sample = { layers: [top, large], tags: ["upon:1"] };
    const other: Sample = { layers: [bottom, same], tags: ["other:1"] };
    expect(await unpacked(image, upon)).toBe(3);
    expect(await unpacked(image, other), "of the same size").toBe(2);
    await expectWhole(stores, image, upon, other);
    for (const { chainID, diffID } of stores.layers.list()) {
      expect(sha256(await gathered(stores.layers.tar(chainID)))).toBe(diffID);
    }
  });

  test("they are unpacked before the archive says what they are for, and are nothing until then", async () => {
    await using stores = await freshStores("overlay2");
    const archive = namedByDigest(sample);
    let unpacked = () => {};
    const allUnpacked = new Promise<void>((resolve) => {
      unpacked = resolve;
    });
    async function* stalling() {
      // Everything but manifest.json and the end.
      const last = archive.lastIndexOf("manifest.json");
      yield archive.subarray(0, last);
      await allUnpacked;
      expect(stores.layers.list()).toEqual([]);
      yield archive.subarray(last);
    }
    const events: LoadEvent[] = [];
    const done = new Set<string>();
    for await (const event of loadArchive(stalling(), stores)) {
      events.push(event);
      if (event.kind === "layer" && event.current === event.total) done.add(event.id);
      if (done.size === sample.layers.length) unpacked();
    }
    expect(loaded(events)).toEqual(["app:1,localhost:5000/app:2"]);
    await expectWhole(stores, sample);
  });
});
