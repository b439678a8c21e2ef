import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Dockerd } from "../../test/oracle/dockerd.js";
import { dockerArchive, type Sample } from "../../test/oracle/image-archives.js";
import { configOf, freshStores, gathered, inPieces, layerTar, type Stores } from "../../test/oracle/image-stores.js";
import { lacking } from "../../test/oracle/programs.js";
import { output } from "../../test/oracle/run.js";
import { savedImages } from "../../test/oracle/saved-images.js";
import { familiarString, goJSON, sha256 } from "../spec/index.js";
import { loadArchive } from "./load/load-archive.js";
import { thisPlatform } from "./load/platform.js";
import { saveArchive } from "./save/save-archive.js";

const scratch = await mkdtemp(join(tmpdir(), "interchange-"));
afterAll(() => rm(scratch, { recursive: true, force: true }));

const bottom = layerTar({ "etc/a": "bottom", "etc/b": Buffer.alloc(100_000, "b") });
const top = layerTar({ "etc/c": "top" });
const { architecture } = thisPlatform;
const sample = (tag: string, ...layers: Buffer[]): Sample & { tags: string[] } => ({
  layers,
  config: configOf(layers, { architecture, config: { Cmd: ["true"] }, history: layers.map(() => ({})) }),
  tags: [tag],
});
const app = sample("app:1", bottom, top);
const other = sample("localhost:5000/x/other:2", bottom);
const idOf = ({ config }: Sample) => sha256(config!);

const at = (name: string) => join(scratch, name);

async function load(stores: Stores, file: string): Promise<void> {
  for await (const _ of loadArchive(inPieces(await readFile(file), 100_000), stores));
}

async function saved(stores: Stores, file: string, ...names: readonly string[]): Promise<string> {
  await writeFile(at(file), await gathered((await saveArchive(names, stores)).body));
  return at(file);
}

/** What the stores have: names with ids, ids alone where there is no name. */
function listed({ images, references }: Stores): string[] {
  return images
    .list()
    .flatMap(({ id }) => {
      const names = references.references(id);
      return names.length > 0 ? names.map((ref) => `${familiarString(ref)} ${id}`) : [id];
    })
    .sort();
}

const expected = (...images: readonly Sample[]) =>
  images.flatMap((image) => (image.tags ?? []).map((tag) => `${tag} ${idOf(image)}`)).sort();

async function withImages() {
  const stores = await freshStores();
  await writeFile(at("in.tar"), dockerArchive([app, other]));
  await load(stores, at("in.tar"));
  return stores;
}

const noDockerd = lacking("root", "mounts", "dockerd", "docker", "containerd");
describe.skipIf(noDockerd)("dockerd 20.10", () => {
  let root: string;
  let dockerd: Dockerd;
  beforeAll(async () => {
    root = await mkdtemp("/dev/shm/interchange-");
    dockerd = await Dockerd.start(root);
  });
  afterAll(async () => {
    await dockerd?.[Symbol.asyncDispose]();
    await rm(root, { recursive: true, force: true });
  });

  test("loads what we save, and saves what we load, with the same ids", async () => {
    await using stores = await withImages();
    const ours = await saved(stores, "ours.tar", "app", "localhost:5000/x/other");
    expect((await savedImages(ours)).map(({ id, layers }) => [id, layers])).toEqual(
      [app, other].map((image) => [idOf(image), image.layers.map((layer) => sha256(layer))]),
    );
    expect((await dockerd.docker("load", "-i", ours)).split("\n").sort()).toEqual([
      "Loaded image: app:1",
      "Loaded image: localhost:5000/x/other:2",
    ]);
    const ids = await dockerd.docker("images", "-a", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}");
    expect(ids.split("\n").sort()).toEqual(expected(app, other));
    await dockerd.docker("save", "-o", at("theirs.tar"), "app:1", "localhost:5000/x/other:2");
    await using again = await freshStores();
    await load(again, at("theirs.tar"));
    expect(listed(again)).toEqual(expected(app, other));
    expect(await again.left()).toEqual([]);
  });

  test("makes of the oldest archives the images that we make", async () => {
    const id = (n: number) => String(n).repeat(64);
    const old = { id: id(1), created: "2014-05-29T18:36:01.5Z", container_config: { Cmd: ["a", "<b>"] }, author: "me" };
    const newer = {
      ...{ id: id(2), parent: id(1), created: "2016-01-01T00:00:00Z", docker_version: "1.10.0", Size: 5, os: "linux" },
      ...{ architecture, config: { Labels: { z: "1", a: "2" }, Cmd: null }, throwaway: true, comment: "ü" },
    };
    const layers = { [`${id(1)}/layer.tar`]: bottom, [`${id(2)}/layer.tar`]: top };
    const documents = {
      [`${id(1)}/json`]: goJSON(old),
      [`${id(2)}/json`]: goJSON(newer),
      repositories: goJSON({ old: { latest: id(2), base: id(1) } }),
    };
    for (const [name, content] of Object.entries({ ...layers, ...documents })) {
      execFileSync("mkdir", ["-p", join(at("legacy"), name, "..")]);
      await writeFile(join(at("legacy"), name), content);
    }
    await output("tar", ["-C", at("legacy"), "-cf", at("legacy.tar"), id(1), id(2), "repositories"]);
    await dockerd.docker("load", "-i", at("legacy.tar"));
    const theirs = await dockerd.docker("images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}", "old");
    await using stores = await freshStores();
    await load(stores, at("legacy.tar"));
    expect(listed(stores)).toEqual(theirs.split("\n").sort());
  });
});

describe.skipIf(lacking("skopeo"))("skopeo", () => {
  const copy = (from: string, to: string) =>
    output("skopeo", ["--insecure-policy", "--tmpdir", scratch, "copy", "-q", from, to]);

  test.for(["docker-archive:FILE:app:1", "oci-archive:FILE:1"])("reads what we save as %s", async (source) => {
    await using stores = await withImages();
    const file = await saved(stores, "ours.tar", "app");
    const dir = at(`dir-${source.slice(0, 3)}`);
    await copy(source.replace("FILE", file), `dir:${dir}`);
    const manifest = JSON.parse(await readFile(join(dir, "manifest.json"), "utf8"));
    expect(manifest.config.digest).toBe(idOf(app));
    expect(manifest.layers.map((layer: { digest: string }) => layer.digest)).toEqual(
      [bottom, top].map((layer) => sha256(layer)),
    );
  });

  test.for(["docker-archive:FILE:app:1", "oci-archive:FILE:app:1"])("writes %s that we read", async (target) => {
    await writeFile(at("in.tar"), dockerArchive([app]));
    const file = at(`skopeo-${target.slice(0, 3)}.tar`);
    await copy(`docker-archive:${at("in.tar")}`, target.replace("FILE", file));
    await using stores = await freshStores();
    await load(stores, file);
    const [image] = stores.images.list();
    expect(image?.config.rootfs.diff_ids).toEqual([bottom, top].map((layer) => sha256(layer)));
    expect(stores.references.references(image!.id).map(familiarString)).toEqual(["app:1"]);
    expect(await stores.left()).toEqual([]);
  });
});

describe.skipIf(lacking("umoci"))("umoci", () => {
  test("makes layouts that we read", async () => {
    const layout = at("umoci");
    await writeFile(at("layer1.tar"), bottom);
    await writeFile(at("layer2.tar"), top);
    await output("umoci", ["init", "--layout", layout]);
    await output("umoci", ["new", "--image", `${layout}:one`]);
    await output("umoci", ["raw", "add-layer", "--image", `${layout}:one`, at("layer1.tar")]);
    await output("umoci", ["raw", "add-layer", "--image", `${layout}:one`, "--tag", "two", at("layer2.tar")]);
    await output("umoci", ["config", "--image", `${layout}:two`, "--config.cmd", "echo", "--config.env", "A=b"]);
    await output("tar", ["-C", layout, "-cf", at("umoci.tar"), "."]);
    await using stores = await freshStores();
    await load(stores, at("umoci.tar"));
    const images = stores.images
      .list()
      .sort((a, b) => a.config.rootfs.diff_ids.length - b.config.rootfs.diff_ids.length);
    expect(images.map(({ config }) => config.rootfs.diff_ids)).toEqual([
      [sha256(bottom)],
      [bottom, top].map((layer) => sha256(layer)),
    ]);
    expect(images[1]?.config.config).toMatchObject({ Cmd: ["echo"], Env: ["A=b"] });
    expect(await stores.left()).toEqual([]);
  });
});
