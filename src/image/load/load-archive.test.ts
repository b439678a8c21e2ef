import { execFileSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { bytes, configOf, freshStores, inPieces, layerTar, type Stores } from "../../../test/oracle/image-stores.js";
import { find, lacking } from "../../../test/oracle/programs.js";
import { rawTar } from "../../../test/oracle/raw-tar.js";
import { familiarString, goJSON, type ImageID, parseReference, sha256 } from "../../spec/index.js";
import { Blobs, dockerArchive, platform, refName, type Sample, withManifest } from "./archives.test.support.js";
import type { LoadEvent } from "./events.js";
import { loadArchive } from "./load-archive.js";
import { thisPlatform } from "./platform.js";

const bottom = layerTar({ "etc/a": "bottom" });
const middle = layerTar({ "etc/b": "middle".repeat(100) });
const top = layerTar({ "etc/c": "top" });
const sample: Sample = { layers: [bottom, middle, top], tags: ["app:1", "localhost:5000/app:2"] };
const idOf = (image: Sample) => sha256(image.config ?? configOf(image.layers)) as ImageID;

async function load(stores: Stores, archive: Buffer, pieces = 100_000): Promise<LoadEvent[]> {
  const events: LoadEvent[] = [];
  for await (const event of loadArchive(inPieces(archive, pieces), stores)) events.push(event);
  return events;
}

/** What was loaded, as `docker load` says it at the end. */
const loaded = (events: readonly LoadEvent[]) =>
  events.flatMap((event) =>
    event.kind === "loaded" ? [event.refs.length > 0 ? event.refs.map(familiarString).join() : event.id] : [],
  );

const names = ({ references }: Stores) => references.all().map(({ ref, id }) => `${familiarString(ref)} ${id}`);

async function expectWhole(stores: Stores, ...images: readonly Sample[]): Promise<void> {
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

describe("docker archives", () => {
  test("of 20.10, with symlinks between equal layers", async () => {
    await using stores = await freshStores();
    const other: Sample = { layers: [bottom, top], tags: ["other:latest"] };
    const events = await load(stores, dockerArchive([sample, other]));
    expect(loaded(events)).toEqual(["app:1,localhost:5000/app:2", "other:latest"]);
    await expectWhole(stores, sample, other);
    expect(stores.layers.list()).toHaveLength(4);
  });

  test("of 25 and later: blobs, beside an index that is not to be trusted", async () => {
    await using stores = await freshStores();
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
    await using stores = await freshStores();
    const empty: Sample = { layers: [], tags: ["empty:latest"] };
    const untagged: Sample = { layers: [bottom] };
    expect(loaded(await load(stores, dockerArchive([untagged, empty])))).toEqual([idOf(untagged), "empty:latest"]);
    await expectWhole(stores, untagged, empty);
    expect(await load(stores, withManifest([], {}))).toEqual([]);
    expect(await load(stores, withManifest(null, {}))).toEqual([]);
  });

  test("whose layers are compressed each for itself", async () => {
    await using stores = await freshStores();
    const files = { "c.json": configOf([bottom, top]), "1.tgz": gzipSync(bottom), "2.tar": top };
    const archive = withManifest([{ Config: "/c.json", RepoTags: ["z:1"], Layers: ["./1.tgz", "x/../2.tar"] }], files);
    await load(stores, archive);
    await expectWhole(stores, { layers: [bottom, top], tags: ["z:1"] });
  });

  test("that come in pieces of any size", async () => {
    const archive = dockerArchive([sample]);
    for (const size of [1, 511, 4097]) {
      await using stores = await freshStores();
      await load(stores, archive, size);
      await expectWhole(stores, sample);
    }
  });

  test("a layer that is there already is not even read", async () => {
    await using stores = await freshStores();
    const archive = dockerArchive([sample]);
    expect((await load(stores, archive)).filter(({ kind }) => kind === "layer").length).toBeGreaterThanOrEqual(3);
    expect((await load(stores, archive)).filter(({ kind }) => kind === "layer")).toEqual([]);
    const without = withManifest([{ Config: "c", RepoTags: ["again:1"], Layers: ["gone", "gone", "gone"] }], {
      c: configOf(sample.layers),
    });
    expect(loaded(await load(stores, without))).toEqual(["again:1"]);
    expect(await stores.left()).toEqual([]);
  });

  test("each layer tells how far it is, to the end", async () => {
    await using stores = await freshStores();
    const events = await load(stores, dockerArchive([sample]));
    for (const layer of sample.layers) {
      const id = sha256(layer).slice(7, 19);
      const told = events.filter((event) => event.kind === "layer" && event.id === id);
      expect(told.at(-1)).toEqual({ kind: "layer", id, current: layer.length, total: layer.length });
    }
  });

  test("a name that another image has is moved, and that is told", async () => {
    await using stores = await freshStores();
    const before: Sample = { layers: [bottom], tags: ["app:1"] };
    await load(stores, dockerArchive([before]));
    const events = await load(stores, dockerArchive([sample]));
    expect(events).toContainEqual({ kind: "moved", ref: parseReference("app:1"), from: idOf(before) });
    await expectWhole(stores, { layers: before.layers }, sample);
  });

  test("parents are linked within the archive, and only there", async () => {
    await using stores = await freshStores();
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

describe("a compressed archive", () => {
  const programs = ["bzip2", "xz", "zstd"] as const;

  test("by gzip, in more than one member", async () => {
    await using stores = await freshStores();
    const archive = dockerArchive([sample]);
    await load(stores, Buffer.concat([gzipSync(archive.subarray(0, 3000)), gzipSync(archive.subarray(3000))]));
    await expectWhole(stores, sample);
  });

  for (const program of programs) {
    test.skipIf(lacking(program))(`by ${program}`, async () => {
      await using stores = await freshStores();
      const packed = execFileSync(find(program) ?? "", ["-c"], { input: dockerArchive([sample]) });
      await load(stores, packed);
      await expectWhole(stores, sample);
    });
  }
});

describe("OCI layouts", () => {
  const arch = thisPlatform.architecture;
  const foreign = arch === "arm64" ? "amd64" : "arm64";

  test("with plain and gzip layers, named by containerd and by the standard", async () => {
    await using stores = await freshStores();
    const blobs = new Blobs();
    const packed = [bottom, gzipSync(middle), top];
    const both = {
      annotations: { "io.containerd.image.name": "docker.io/library/app:1", "org.opencontainers.image.ref.name": "1" },
    };
    const named = refName("localhost:5000/app:2");
    const archive = blobs.layout([blobs.manifest(sample, packed, both), blobs.manifest(sample, packed, named)]);
    expect(loaded(await load(stores, archive))).toEqual(["app:1,localhost:5000/app:2"]);
    await expectWhole(stores, sample);
  });

  test.skipIf(lacking("zstd"))("with zstd layers", async () => {
    await using stores = await freshStores();
    const blobs = new Blobs();
    const packed = sample.layers.map((layer) => execFileSync(find("zstd") ?? "", ["-c"], { input: layer }));
    await load(stores, blobs.layout([blobs.manifest(sample, packed)]));
    await expectWhole(stores, { layers: sample.layers });
  });

  test("a tag alone names no repository", async () => {
    await using stores = await freshStores();
    const blobs = new Blobs();
    const archive = blobs.layout([blobs.manifest(sample, undefined, refName("latest"))]);
    expect(loaded(await load(stores, archive))).toEqual([idOf(sample)]);
    await expectWhole(stores, { layers: sample.layers });
  });

  test("of an index, nested ones too, this machine's image is taken", async () => {
    await using stores = await freshStores();
    const blobs = new Blobs();
    const strange: Sample = { layers: [top] };
    const attestation = {
      annotations: { "vnd.docker.reference.type": "attestation-manifest" },
      ...platform("unknown", undefined, "unknown"),
    };
    const index = blobs.index([
      blobs.manifest(strange, undefined, platform(foreign)),
      blobs.manifest(sample, undefined, platform(arch, thisPlatform.variant)),
      blobs.manifest({ layers: [] }, undefined, attestation),
    ]);
    await load(stores, blobs.layout([blobs.index([index], refName("app:1"))]));
    await expectWhole(stores, { ...sample, tags: ["app:1"] });
  });

  test("an index without this machine's image is refused, with what it has", async () => {
    await using stores = await freshStores();
    const blobs = new Blobs();
    const index = blobs.index([blobs.manifest(sample, undefined, platform(foreign, "v8"))]);
    await expect(load(stores, blobs.layout([index]))).rejects.toThrow(
      `no image for linux/${arch} in index ${index.digest}: it has linux/${foreign}/v8`,
    );
    expect(await stores.left()).toEqual([]);
  });

  test("a single image is taken whatever it runs on", async () => {
    await using stores = await freshStores();
    const blobs = new Blobs();
    await load(
      stores,
      blobs.layout([blobs.manifest(sample, undefined, { ...platform(foreign), ...refName("app:1") })]),
    );
    await expectWhole(stores, { ...sample, tags: ["app:1"] });
  });

  test("images with names of their own are all taken", async () => {
    await using stores = await freshStores();
    const blobs = new Blobs();
    const other: Sample = { layers: [bottom], tags: ["other:1"] };
    const manifests = [
      blobs.manifest(sample, undefined, refName("app:1")),
      blobs.manifest(other, undefined, refName("other:1")),
    ];
    await load(stores, blobs.layout(manifests));
    await expectWhole(stores, { ...sample, tags: ["app:1"] }, other);
  });
});

describe("archives of the oldest form", () => {
  const id = (n: number) => String(n).repeat(64);
  const v1 = (n: number, parent?: number, more: object = {}) =>
    goJSON({
      id: id(n),
      ...(parent !== undefined && { parent: id(parent) }),
      created: `2014-05-29T18:36:0${n}Z`,
      container_config: { Cmd: ["/bin/sh", "-c", `step ${n}`] },
      ...more,
    });
  const legacy = (files: Readonly<Record<string, string | Buffer>>) =>
    rawTar(Object.entries(files).map(([name, content]) => ({ name, content })));
  const files = {
    [`${id(2)}/json`]: v1(2, 1, { config: { Env: ["A=b"] }, os: "linux", docker_version: "1.10.0" }),
    [`${id(2)}/layer.tar`]: top,
    [`${id(1)}/VERSION`]: "1.0",
    [`${id(1)}/json`]: v1(1),
    [`${id(1)}/layer.tar`]: bottom,
    repositories: goJSON({ old: { latest: id(2) } }),
  };

  test("become images with a parent each", async () => {
    await using stores = await freshStores();
    const events = await load(stores, legacy(files));
    expect(loaded(events)).toEqual(["old:latest"]);
    const image = stores.images.get(stores.references.get(parseReference("old")));
    expect(image.config.rootfs.diff_ids).toEqual([sha256(bottom), sha256(top)]);
    expect(image.config.history?.map((step) => step.created_by)).toEqual(["/bin/sh -c step 1", "/bin/sh -c step 2"]);
    expect(image.config.config?.Env).toEqual(["A=b"]);
    expect(stores.images.get(image.parent!).config.rootfs.diff_ids).toEqual([sha256(bottom)]);
    expect(stores.images.list()).toHaveLength(2);
    expect(await stores.left()).toEqual([]);
  });

  test.for([
    ["a parent that is not there", { [`${id(1)}/json`]: v1(1, 3) }, /parent image "3+" is not in the archive/],
    ["parents in a circle", { [`${id(1)}/json`]: v1(1, 2) }, /is its own parent/],
    ["a name for nothing", { repositories: goJSON({ old: { latest: id(9) } }) }, /invalid target ID: 9+/],
    ["a name that is none", { repositories: goJSON({ "Old!": { latest: id(2) } }) }, /invalid reference format/],
    [
      "another system",
      { [`${id(1)}/json`]: v1(1, undefined, { os: "windows" }) },
      /cannot load windows image on linux/,
    ],
    ["no layer", { [`${id(1)}/layer.tar`]: undefined }, /layer of "1+" "1+\/layer.tar" is not in the archive/],
    ["a broken layer", { [`${id(2)}/layer.tar`]: top.subarray(0, 514) }, /layer "2+\/layer.tar": /],
    ["json that is none", { [`${id(1)}/json`]: "{" }, /image "1+\/json": /],
  ] as const)("with %s are refused whole", async ([, change, why]) => {
    await using stores = await freshStores();
    const all = Object.entries({ ...files, ...change }).filter(
      (entry): entry is [string, string | Buffer] => !!entry[1],
    );
    await expect(load(stores, legacy(Object.fromEntries(all)))).rejects.toThrow(why);
    await expectWhole(stores);
  });
});

describe("an abort", () => {
  test("ends the load with its reason, and leaves nothing", async () => {
    await using stores = await freshStores();
    const controller = new AbortController();
    const reason = new Error("enough");
    const archive = dockerArchive([sample]);
    const loading = (async () => {
      for await (const event of loadArchive(bytes(archive), stores, { signal: controller.signal })) {
        if (event.kind === "layer") controller.abort(reason);
      }
    })();
    await expect(loading).rejects.toBe(reason);
    await expectWhole(stores);
  });

  test("before the archive has come ends it as well", async () => {
    await using stores = await freshStores();
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
    await using stores = await freshStores();
    for await (const _ of loadArchive(bytes(dockerArchive([sample])), stores)) break;
    expect(stores.images.list()).toEqual([]);
    expect(await stores.left()).toEqual([]);
    expect(await readdir(stores.tmp)).toEqual([]);
  });
});

test("two loads of the same archive at once both finish", async () => {
  await using stores = await freshStores();
  const archive = dockerArchive([sample]);
  await Promise.all([load(stores, archive), load(stores, archive), load(stores, gzipSync(archive))]);
  await expectWhole(stores, sample);
  await stores.images.delete(idOf(sample));
  expect(stores.layers.list()).toEqual([]);
});
