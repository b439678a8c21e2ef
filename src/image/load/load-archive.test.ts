import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Blobs, dockerArchive, type Sample, withManifest } from "../../../test/oracle/image-archives.js";
import { bytes, configOf, freshStores } from "../../../test/oracle/image-stores.js";
import { find, lacking } from "../../../test/oracle/programs.js";
import { rawTar } from "../../../test/oracle/raw-tar.js";
import { goJSON, parseReference, sha256 } from "../../spec/index.js";
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

describe.for(drivers)("docker archives, on %s", (driver) => {
  test("of 20.10, with symlinks between equal layers", async () => {
    await using stores = await freshStores(driver);
    const other: Sample = { layers: [bottom, top], tags: ["other:latest"] };
    const events = await load(stores, dockerArchive([sample, other]));
    expect(loaded(events)).toEqual(["app:1,localhost:5000/app:2", "other:latest"]);
    await expectWhole(stores, sample, other);
    expect(stores.layers.list()).toHaveLength(4);
  });

  test("of 25 and later: blobs, beside an index that is not to be trusted", async () => {
    await using stores = await freshStores(driver);
    const blobs = new Blobs();
    const layers = sample.layers.map((layer) => blobs.add(layer, "").digest.replace(":", "/"));
    const config = blobs.add(configOf(sample.layers), "").digest.replace(":", "/");
    const manifest = [{ Config: `blobs/${config}`, RepoTags: sample.tags, Layers: layers.map((l) => `blobs/${l}`) }];
    const archive = Buffer.concat([
      blobs.layout([blobs.manifest({ layers: [] })]).subarray(0, -1024),
      rawTar([{ name: "manifest.json", content: goJSON(manifest) }]),
    ]);
    expect(loaded(await load(stores, archive))).toEqual(["app:1,localhost:5000/app:2"]);
    await expectWhole(stores, sample);
  });

  test("without any tag, without any layer, and without any image", async () => {
    await using stores = await freshStores(driver);
    const empty: Sample = { layers: [], tags: ["empty:latest"] };
    const untagged: Sample = { layers: [bottom] };
    expect(loaded(await load(stores, dockerArchive([untagged, empty])))).toEqual([idOf(untagged), "empty:latest"]);
    await expectWhole(stores, untagged, empty);
    expect(await load(stores, withManifest([], {}))).toEqual([]);
    expect(await load(stores, withManifest(null, {}))).toEqual([]);
  });

  test("whose layers are compressed each for itself", async () => {
    await using stores = await freshStores(driver);
    const files = { "c.json": configOf([bottom, top]), "1.tgz": gzipSync(bottom), "2.tar": top };
    const archive = withManifest([{ Config: "/c.json", RepoTags: ["z:1"], Layers: ["./1.tgz", "x/../2.tar"] }], files);
    await load(stores, archive);
    await expectWhole(stores, { layers: [bottom, top], tags: ["z:1"] });
  });

  test("that come in pieces of any size", async () => {
    const archive = dockerArchive([sample]);
    for (const size of [1, 511, 4097]) {
      await using stores = await freshStores(driver);
      await load(stores, archive, size);
      await expectWhole(stores, sample);
    }
  });

  test("a layer that is there already is not even read", async () => {
    await using stores = await freshStores(driver);
    const archive = namedByDigest(sample);
    expect((await load(stores, archive)).filter(({ kind }) => kind === "layer").length).toBeGreaterThanOrEqual(3);
    expect((await load(stores, archive)).filter(({ kind }) => kind === "layer")).toEqual([]);
    const without = withManifest([{ Config: "c", RepoTags: ["again:1"], Layers: ["gone", "gone", "gone"] }], {
      c: configOf(sample.layers),
    });
    expect(loaded(await load(stores, without))).toEqual(["again:1"]);
    expect(await stores.left()).toEqual([]);
  });

  test("each layer tells how far it is, to the end", async () => {
    await using stores = await freshStores(driver);
    const events = await load(stores, namedByDigest(sample));
    for (const layer of sample.layers) {
      const id = sha256(layer).slice(7, 19);
      const told = events.filter((event) => event.kind === "layer" && event.id === id);
      expect(told.at(-1)).toEqual({ kind: "layer", id, current: layer.length, total: layer.length });
    }
  });

  test("a name that another image has is moved, and that is told", async () => {
    await using stores = await freshStores(driver);
    const before: Sample = { layers: [bottom], tags: ["app:1"] };
    await load(stores, dockerArchive([before]));
    const events = await load(stores, dockerArchive([sample]));
    expect(events).toContainEqual({ kind: "moved", ref: parseReference("app:1"), from: idOf(before) });
    await expectWhole(stores, { layers: before.layers }, sample);
  });

  test("parents are linked within the archive, and only there", async () => {
    await using stores = await freshStores(driver);
    const step = (n: number) => ({ created: "2026-01-01T00:00:00Z", created_by: `step ${n}` });
    const base: Sample = { layers: [bottom], config: configOf([bottom], { history: [step(1)] }) };
    const config = configOf([bottom, top], { history: [step(1), step(2)] });
    const child: Sample = { layers: [bottom, top], config, parent: idOf(base) };
    await load(stores, dockerArchive([child, base]));
    expect(stores.images.get(idOf(child)).parent).toBe(idOf(base));
    const stranger: Sample = { layers: [middle], parent: sha256("elsewhere") };
    await load(stores, dockerArchive([stranger]));
    expect(stores.images.get(idOf(stranger)).parent).toBeUndefined();
  });
});

describe.for(drivers)("a compressed archive, on %s", (driver) => {
  const programs = ["bzip2", "xz", "zstd"] as const;

  test("by gzip, in more than one member", async () => {
    await using stores = await freshStores(driver);
    const archive = dockerArchive([sample]);
    await load(stores, Buffer.concat([gzipSync(archive.subarray(0, 3000)), gzipSync(archive.subarray(3000))]));
    await expectWhole(stores, sample);
  });

  for (const program of programs) {
    test.skipIf(lacking(program))(`by ${program}`, async () => {
      await using stores = await freshStores(driver);
      const packed = execFileSync(find(program) ?? "", ["-c"], { input: dockerArchive([sample]) });
      await load(stores, packed);
      await expectWhole(stores, sample);
    });
  }
});

describe.for(drivers)("an abort, on %s", (driver) => {
  test("ends the load with its reason, and leaves nothing", async () => {
    await using stores = await freshStores(driver);
    const controller = new AbortController();
    const reason = new Error("enough");
    const archive = dockerArchive([sample]);
    async function* body() {
      yield* bytes(archive.subarray(0, -512));
      // Where layers are unpacked as they come, what is told of them comes before the end.
      if (stores.layers.canUnpack && !controller.signal.aborted) await once(controller.signal, "abort");
      yield archive.subarray(-512);
    }
    const loading = (async () => {
      for await (const event of loadArchive(body(), stores, { signal: controller.signal })) {
        if (event.kind === "layer") controller.abort(reason);
      }
    })();
    await expect(loading).rejects.toBe(reason);
    await expectWhole(stores);
  });

  test("before the archive has come ends it as well", async () => {
    await using stores = await freshStores(driver);
    async function* endless() {
      const header = dockerArchive([sample]).subarray(0, 512);
      for (;;) yield Buffer.concat(Array.from({ length: 128 }, () => header));
    }
    const signal = AbortSignal.timeout(50);
    const loading = (async () => {
      for await (const _ of loadArchive(endless(), stores, { signal }));
    })();
    await expect(loading).rejects.toBeDefined();
    await expectWhole(stores);
  });

  test("by a reader who stops leaves nothing", async () => {
    await using stores = await freshStores(driver);
    const archive = dockerArchive([sample]);
    let stop = () => {};
    const stopped = new Promise<void>((resolve) => {
      stop = resolve;
    });
    async function* body() {
      yield* bytes(archive.subarray(0, -512));
      if (stores.layers.canUnpack) await stopped;
      yield archive.subarray(-512);
    }
    for await (const _ of loadArchive(body(), stores)) {
      stop();
      break;
    }
    expect(stores.images.list()).toEqual([]);
    expect(await stores.left()).toEqual([]);
    expect(await readdir(stores.tmp)).toEqual([]);
  });
});

test.for(drivers)("two loads of the same archive at once both finish, on %s", async (driver) => {
  await using stores = await freshStores(driver);
  const archive = dockerArchive([sample]);
  await Promise.all([load(stores, archive), load(stores, archive), load(stores, gzipSync(archive))]);
  await expectWhole(stores, sample);
  await stores.images.delete(idOf(sample));
  expect(stores.layers.list()).toEqual([]);
});
