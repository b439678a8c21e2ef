import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { dockerArchive, type Sample } from "../../../test/oracle/image-archives.js";
import { configOf, freshStores, gathered, inPieces, layerTar, type Stores } from "../../../test/oracle/image-stores.js";
import { rawTar } from "../../../test/oracle/raw-tar.js";
import { goJSON, type ImageID, parseReference, sha256 } from "../../spec/index.js";
import { loadArchive } from "../load/load-archive.js";
import { saveArchive } from "./save-archive.js";

const scratch = await mkdtemp(join(tmpdir(), "save-"));
afterAll(() => rm(scratch, { recursive: true, force: true }));

const bottom = layerTar({ "etc/a": "bottom", "etc/big": Buffer.alloc(3_000_000, "b") });
const top = layerTar({ "etc/c": "top" });
/** Bytes that only tar-split knows: padding of its own kind, a bare header, and things behind the end. */
const odd = Buffer.concat([rawTar([{ name: "./x//y", content: "y", mode: 0o4711 }], 3), Buffer.from("behind")]);
const app: Sample = { layers: [bottom, top], tags: ["app:1", "app:2", "localhost:5000/x/app:1"] };
const other: Sample = { layers: [bottom, odd], tags: ["other:latest"] };
const idOf = (image: Sample) => sha256(image.config ?? configOf(image.layers)) as ImageID;

async function withImages(...images: readonly Sample[]) {
  const stores = await freshStores();
  await load(stores, dockerArchive(images));
  return stores;
}

async function load(stores: Stores, archive: Buffer): Promise<void> {
  for await (const _ of loadArchive(inPieces(archive, 100_000), stores));
}

async function save(stores: Stores, ...names: readonly string[]): Promise<Buffer> {
  return gathered((await saveArchive(names, stores)).body);
}

/** The archive's files by path, in its order, as GNU tar sees them. */
async function unpacked(archive: Buffer): Promise<Map<string, Buffer>> {
  const dir = await mkdtemp(join(scratch, "x-"));
  await writeFile(join(dir, "archive.tar"), archive);
  const listed = execFileSync("tar", ["-xvf", "archive.tar"], { cwd: dir, encoding: "utf8" });
  const files = listed.split("\n").filter((name) => name !== "" && !name.endsWith("/"));
  return new Map(await Promise.all(files.map(async (name) => [name, await readFile(join(dir, name))] as const)));
}

const manifestOf = async (
  archive: Buffer,
): Promise<{ RepoTags: string[] | null; Layers: string[]; Parent?: string }[]> =>
  JSON.parse((await unpacked(archive)).get("manifest.json")!.toString());

test("every blob is what its name says, and layers are the very bytes that came in", async () => {
  await using stores = await withImages(app, other);
  const files = await unpacked(await save(stores, "app:1", "other"));
  const blobs = [...files].filter(([name]) => name.startsWith("blobs/"));
  for (const [name, content] of blobs) expect(sha256(content)).toBe(`sha256:${name.slice("blobs/sha256/".length)}`);
  for (const layer of [bottom, top, odd]) expect(files.has(`blobs/sha256/${sha256(layer).slice(7)}`)).toBe(true);
  expect(blobs).toHaveLength(3 + 2 + 2);
});

test("documents come first, then layers, each once, bottom first", async () => {
  await using stores = await withImages(app, other);
  const names = [...(await unpacked(await save(stores, "app:1", "other"))).keys()];
  expect(names.slice(0, 4)).toEqual(["oci-layout", "index.json", "manifest.json", "repositories"]);
  expect(names.slice(-3)).toEqual([bottom, top, odd].map((layer) => `blobs/sha256/${sha256(layer).slice(7)}`));
});

test("the documents are those of docker save", async () => {
  await using stores = await withImages(app);
  const files = await unpacked(await save(stores, "app:1"));
  const blob = (bytes: Buffer) => `blobs/sha256/${sha256(bytes).slice(7)}`;
  const text = (name: string) => files.get(name)?.toString();
  const config = configOf(app.layers);
  expect(text("oci-layout")).toBe('{"imageLayoutVersion": "1.0.0"}');
  expect(text("manifest.json")).toBe(
    `[{"Config":"${blob(config)}","RepoTags":["app:1"],"Layers":["${blob(bottom)}","${blob(top)}"]}]\n`,
  );
  expect(text("repositories")).toBe(`{"app":{"1":"${sha256(top).slice(7)}"}}\n`);
  const oci = "application/vnd.oci.image";
  const manifest = goJSON({
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config: { mediaType: `${oci}.config.v1+json`, digest: sha256(config), size: config.length },
    layers: [bottom, top].map((layer) => ({
      mediaType: `${oci}.layer.v1.tar`,
      digest: sha256(layer),
      size: layer.length,
    })),
  });
  expect(text(blob(Buffer.from(manifest)))).toBe(manifest);
  expect(JSON.parse(text("index.json") ?? "")).toEqual({
    schemaVersion: 2,
    mediaType: `${oci}.index.v1+json`,
    manifests: [
      {
        mediaType: `${oci}.manifest.v1+json`,
        digest: sha256(manifest),
        size: manifest.length,
        annotations: {
          "io.containerd.image.name": "docker.io/library/app:1",
          "org.opencontainers.image.ref.name": "1",
        },
      },
    ],
  });
});

describe("names", () => {
  test.for([
    [["app:2"], [["app:2"]]],
    [["app"], [["app:1", "app:2"]]],
    [["app", "localhost:5000/x/app:1"], [["app:1", "app:2", "localhost:5000/x/app:1"]]],
    [[idOf(app)], [null]],
    [[idOf(app).slice(7, 19)], [null]],
    [[idOf(app), "app:1"], [["app:1"]]],
    [
      ["other", "app:1", "other:latest"],
      [["other:latest"], ["app:1"]],
    ],
    [[], null],
  ] as const)("%j gives images with %j", async ([names, tags]) => {
    await using stores = await withImages(app, other);
    const manifest = await manifestOf(await save(stores, ...names));
    expect(manifest?.map(({ RepoTags }) => RepoTags) ?? null).toEqual(tags);
  });

  test("that are digests bring no tag", async () => {
    await using stores = await withImages(app);
    const digest = sha256("manifest");
    await stores.references.addDigest(parseReference(`app@${digest}`), idOf(app));
    expect((await manifestOf(await save(stores, `app@${digest}`))).map(({ RepoTags }) => RepoTags)).toEqual([null]);
    expect((await manifestOf(await save(stores, "app")))[0]?.RepoTags).toEqual(["app:1", "app:2"]);
  });

  test.for(["nope", "app:3", `sha256:${"1".repeat(64)}`, "1".repeat(64), `app@${sha256("x")}`])(
    "%s is not found, before any byte",
    async (name) => {
      await using stores = await withImages(app);
      await expect(saveArchive(["app", name], stores)).rejects.toMatchObject({
        code: "not-found",
        message: expect.stringContaining("No such image: "),
      });
    },
  );
});

describe("a round trip", () => {
  test("brings back images, names, parents and the same archive", async () => {
    const step = (n: number) => ({ created: "2026-01-01T00:00:00Z", created_by: `step ${n}` });
    const base: Sample = { layers: [bottom], config: configOf([bottom], { history: [step(1)] }), tags: ["base:1"] };
    const config = configOf([bottom, odd], { history: [step(1), step(2)] });
    const child: Sample = { layers: [bottom, odd], config, tags: ["child:1"], parent: idOf(base) };
    const empty: Sample = { layers: [], tags: ["empty:1"] };
    await using stores = await withImages(base, child, app, empty);
    const names = ["base", "child", "app", "empty"];
    const saved = await save(stores, ...names);
    expect((await save(stores, ...names)).equals(saved)).toBe(true);
    await using again = await freshStores();
    await load(again, gzipSync(saved));
    expect(
      again.images
        .list()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(
      stores.images
        .list()
        .map(({ id }) => id)
        .sort(),
    );
    expect(again.images.get(idOf(child)).parent).toBe(idOf(base));
    expect((await save(again, ...names)).equals(saved)).toBe(true);
    expect(await again.left()).toEqual([]);
  });

  test("through the OCI side alone is the same", async () => {
    await using stores = await withImages(app, other);
    const files = await unpacked(await save(stores, "app", "other"));
    const layout = [...files].filter(([name]) => !["manifest.json", "repositories"].includes(name));
    await using again = await freshStores();
    await load(again, rawTar(layout.map(([name, content]) => ({ name, content }))));
    expect(
      again.images
        .list()
        .map(({ id }) => id)
        .sort(),
    ).toEqual([idOf(app), idOf(other)].sort());
    expect(again.references.all()).toHaveLength(3);
  });

  test("a parent whose history does not fit is not claimed", async () => {
    await using stores = await withImages({ ...app, config: configOf(app.layers, { history: [{}, {}] }) }, other);
    const [first, second] = stores.images.list();
    await stores.images.setParent(first!.id, second!.id);
    const manifest = await manifestOf(await save(stores, first!.id, second!.id));
    expect(manifest.some(({ Parent }) => Parent)).toBe(false);
  });
});

test("an image that is removed while it is being saved is saved whole", async () => {
  await using stores = await withImages(app);
  const { body } = await saveArchive(["app"], stores);
  const reader = body[Symbol.asyncIterator]();
  const chunks = [(await reader.next()).value as Uint8Array];
  await stores.images.delete(idOf(app));
  for (let next = await reader.next(); !next.done; next = await reader.next()) chunks.push(next.value);
  const files = await unpacked(Buffer.concat(chunks));
  expect(files.get(`blobs/sha256/${sha256(bottom).slice(7)}`)?.equals(bottom)).toBe(true);
  expect(stores.layers.list()).toEqual([]);
});

test("a reader who stops gives the layers back", async () => {
  await using stores = await withImages(app);
  const { body } = await saveArchive(["app"], stores);
  for await (const _ of body) break;
  await stores.images.delete(idOf(app));
  expect(stores.layers.list()).toEqual([]);
});

test("an abort ends it with its reason", async () => {
  await using stores = await withImages(app);
  const controller = new AbortController();
  const reason = new Error("enough");
  const { body } = await saveArchive(["app"], stores, { signal: controller.signal });
  const reading = (async () => {
    for await (const _ of body) controller.abort(reason);
  })();
  await expect(reading).rejects.toBe(reason);
});

test("a layer that was changed on disk is not saved as if it were whole", async () => {
  await using stores = await withImages(app);
  const { cacheID } = stores.layers.list().find(({ diffID }) => diffID === sha256(top))!;
  await writeFile(join(stores.root, "vfs/dir", cacheID, "etc/c"), "TOP");
  await expect(save(stores, "app")).rejects.toMatchObject({ code: "data-loss" });
});
