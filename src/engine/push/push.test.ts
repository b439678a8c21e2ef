import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { BadRegistry } from "../../../test/oracle/bad-registry.js";
import { dockerArchive } from "../../../test/oracle/image-archives.js";
import { bytes, configOf, freshStores, layerTar } from "../../../test/oracle/image-stores.js";
import { answers, takesOnly } from "../../../test/oracle/registry-faults.js";
import type { LayerStore } from "../../layer/index.js";
import { Registries } from "../../registry/index.js";
import { chainID, type Descriptor, type DiffID, mediaTypes, parseReference, sha256, Undo } from "../../spec/index.js";
import type { ProgressMessage } from "../api-image.js";
import { ImageOperations } from "../image/operations.js";
import { openPushes } from "./open-pushes.js";

const layers = [1, 2, 3].map((n) => layerTar({ [`file${n}`]: randomBytes(n * 10_000) }));
const config = configOf(layers);

/** A store with one image of three layers, under any names, and a registry to bring it to. */
async function ready({
  names = ["app:1"],
  atOnce = 5,
  image = dockerArchive([{ layers, config, tags: ["app:1"] }]),
} = {}) {
  const undo = new Undo();
  const stores = await freshStores();
  undo.defer(() => stores[Symbol.asyncDispose]());
  const registry = await BadRegistry.start();
  undo.defer(() => registry[Symbol.asyncDispose]());
  const registries = new Registries({ time: { pause: async () => {} } });
  undo.defer(() => registries[Symbol.asyncDispose]());
  const { images, references, distribution, pulls, tmp, driver } = stores;
  const events: unknown[] = [];
  const operations = new ImageOperations({
    ...{ images, references, layers: stores.layers, distribution, registries, pulls, tmp, driver },
    ...{ pushes: openPushes(atOnce), usersOf: () => [], emit: (...event) => events.push(event) },
  });
  for await (const _ of operations.load(bytes(image)));
  for (const name of names) await operations.tag("app:1", `${registry.host}/${name.split(":")[0]}`, name.split(":")[1]);
  const push = async (name: string, signal?: AbortSignal) => {
    const told: ProgressMessage[] = [];
    for await (const message of operations.push(`${registry.host}/${name}`, { ...(signal && { signal }) }))
      told.push(message);
    return told;
  };
  const asked = (method: string) => registry.requests.filter((request) => request.method === method).length;
  return {
    push,
    asked,
    registry,
    stores,
    events,
    operations,
    [Symbol.asyncDispose]: () => undo[Symbol.asyncDispose](),
  };
}

/** How many read a layer of the store from now on. */
function countedReaders(layers: LayerStore): { ever: number; now: number } {
  const count = { ever: 0, now: 0 };
  const tar = layers.tar.bind(layers);
  layers.tar = async function* (...args) {
    count.ever++;
    count.now++;
    try {
      yield* tar(...args);
    } finally {
      count.now--;
    }
  };
  return count;
}

/** What was told of the layers in the end. */
const ends = (told: readonly ProgressMessage[]) =>
  new Set(
    told
      .filter(({ id, progressDetail }) => id && progressDetail && !("current" in progressDetail))
      .map(({ status }) => status),
  );

describe.concurrent("push", () => {
  test("brings layers, config and manifest, and records where they are", async () => {
    await using it = await ready();
    const told = await it.push("app:1");
    expect(told[0]).toEqual({ status: `The push refers to repository [${it.registry.host}/app]` });
    const { Tag, Digest, Size } = told.at(-1)!.aux as { Tag: string; Digest: string; Size: number };
    expect([Tag, told.at(-2)]).toEqual(["1", { status: `1: digest: ${Digest} size: ${Size}` }]);
    const manifest = JSON.parse(it.registry.manifest("app", "1")!.toString()) as {
      config: Descriptor;
      layers: Descriptor[];
    };
    expect(it.registry.blob(manifest.config.digest)).toEqual(config);
    const unpacked = manifest.layers.map(({ digest }) => gunzipSync(it.registry.blob(digest)!));
    expect(unpacked.map((tar) => sha256(tar))).toEqual(layers.map((tar) => sha256(tar)));
    for (const [at, layer] of layers.entries()) {
      const [source, ...more] = await it.stores.distribution.sourcesOf(sha256(layer) as DiffID);
      expect(source).toMatchObject({ digest: manifest.layers[at]!.digest, repository: `${it.registry.host}/app` });
      expect(more).toEqual([]);
    }
    expect(it.stores.references.find(parseReference(`${it.registry.host}/app@${Digest}`))).toBe(sha256(config));
    const name = `${it.registry.host}/app`;
    expect(it.events.at(-1)).toEqual(["push", `${name}:1`, { name }]);
  });

  test("sends nothing twice", async () => {
    await using it = await ready({ names: ["app:1", "app:2", "other:1"] });
    await it.push("app:1");
    expect(it.asked("PATCH")).toBe(3);
    expect(ends(await it.push("app"))).toEqual(new Set(["Preparing", "Layer already exists"]));
    expect(ends(await it.push("other:1"))).toEqual(new Set(["Preparing", "Mounted from app"]));
    expect(it.asked("PATCH")).toBe(3);
    expect(it.registry.manifest("other", "1")).toEqual(it.registry.manifest("app", "2"));
  });

  test("sends a layer once that the image has twice, or that two bring at the same time", async () => {
    const twice = [layers[0]!, layers[1]!, layers[0]!];
    const image = dockerArchive([{ layers: twice, config: configOf(twice), tags: ["app:1"] }]);
    await using it = await ready({ image, names: ["app:1", "app:2"] });
    await Promise.all([it.push("app:1"), it.push("app:2")]);
    expect(it.asked("PATCH")).toBe(2);
    expect(it.registry.manifest("app", "1")).toEqual(it.registry.manifest("app", "2"));
  });

  test("brings as many layers at once as it may", async () => {
    await using it = await ready({ atOnce: 2, names: ["app:1"] });
    const held: (() => void)[] = [];
    let together = 0;
    it.registry.alwaysMisbehave(/^PATCH/, (_request, _response, serve) => {
      held.push(serve);
      together = Math.max(together, held.length);
      // Two at once, then the one that had to wait.
      if (held.length === 2 || it.asked("PATCH") === 3) for (const release of held.splice(0)) release();
    });
    const told = await it.push("app:1");
    expect(together).toBe(2);
    expect(told.filter(({ status }) => status === "Waiting")).toHaveLength(1);
  });

  test("brings an image of many layers without a word of warning", async () => {
    const many = Array.from({ length: 20 }, (_, n) => layerTar({ [`file${n}`]: `${n}` }));
    await using it = await ready({ image: dockerArchive([{ layers: many, config: configOf(many), tags: ["app:1"] }]) });
    const warnings: Error[] = [];
    const listen = (warning: Error) => void warnings.push(warning);
    process.on("warning", listen);
    expect((await it.push("app:1")).filter(({ status }) => status === "Pushed")).toHaveLength(20);
    await it.operations.remove("app:1");
    await it.operations.remove(`${it.registry.host}/app:1`);
    for await (const _ of it.operations.pull(`${it.registry.host}/app:1`));
    process.off("warning", listen);
    expect(warnings).toEqual([]);
  });

  test("forgets what is no longer where it was", async () => {
    await using it = await ready({ names: ["app:1", "other:1"] });
    await it.push("app:1");
    it.registry.forgetBlobs();
    expect(ends(await it.push("other:1"))).toEqual(new Set(["Preparing", "Pushed"]));
    const [source, ...more] = await it.stores.distribution.sourcesOf(sha256(layers[0]!) as DiffID);
    expect([source?.repository, more]).toEqual([`${it.registry.host}/other`, []]);
  });

  test("compresses a layer that came as a plain tar", async () => {
    await using it = await ready({ names: [] });
    const tar = layerTar({ plain: "text" });
    const blob = it.registry.addBlob(tar, mediaTypes.ociLayer);
    const config = it.registry.addBlob(configOf([tar]), mediaTypes.ociConfig);
    it.registry.addManifest("app:1", { schemaVersion: 2, config, layers: [blob] }, mediaTypes.ociManifest);
    for await (const _ of it.operations.pull(`${it.registry.host}/app:1`));
    await it.operations.tag(`${it.registry.host}/app:1`, `${it.registry.host}/app`, "2");
    expect(ends(await it.push("app:2"))).toEqual(new Set(["Preparing", "Pushed"]));
    const [sent] = (JSON.parse(it.registry.manifest("app", "2")!.toString()) as { layers: Descriptor[] }).layers;
    expect(sent!.mediaType).toBe(mediaTypes.dockerLayerGzip);
    expect(tar.equals(gunzipSync(it.registry.blob(sent!.digest)!))).toBe(true);
  });

  test("goes on after cuts, and fails in one line where there is no end of them", async () => {
    await using it = await ready();
    it.registry.misbehave(/^PATCH/, takesOnly(5000), takesOnly(5000));
    const told = await it.push("app:1");
    expect(ends(told)).toEqual(new Set(["Preparing", "Retrying in 1 second", "Pushed"]));
    await using other = await ready();
    other.registry.alwaysMisbehave(/^PATCH/, answers(500));
    await expect(other.push("app:1")).rejects.toThrow(/^127\S+ answered 500 for \/v2\/app\/blobs\/uploads\/\S+$/);
  });

  const strikes: [string, (request: IncomingMessage, stop: () => void) => unknown][] = [
    ["before anything has gone out", (_request, stop) => stop()],
    ["in the middle", (request, stop) => request.on("data", stop)],
    ["when the registry takes nothing more", (request, stop) => request.once("readable", stop)],
  ];
  test.for(strikes)("stops at once %s, and lets the layers go", async ([, strike]) => {
    const large = [4, 5].map((n) => layerTar({ [`large${n}`]: randomBytes(n << 20) }));
    const image = dockerArchive([{ layers: large, config: configOf(large), tags: ["app:1"] }]);
    await using it = await ready({ image });
    const readers = countedReaders(it.stores.layers);
    const abort = new AbortController();
    it.registry.alwaysMisbehave(/^PATCH/, (request) => strike(request, () => abort.abort(new Error("enough"))));
    await expect(it.push("app:1", abort.signal)).rejects.toThrow("enough");
    expect(readers).toEqual({ ever: 2, now: 0 });
    expect(await it.operations.remove(`${it.registry.host}/app:1`)).toHaveLength(1);
    await it.operations.remove("app:1");
    expect(it.stores.layers.list()).toEqual([]);
  });

  test("gives no name to an image that is removed meanwhile", async () => {
    await using it = await ready();
    it.registry.misbehave(/^PUT .*manifests/, async (_request, _response, serve) => {
      await it.operations.remove(`${it.registry.host}/app:1`);
      await it.operations.remove("app:1");
      serve();
    });
    expect((await it.push("app:1")).at(-1)).toMatchObject({ aux: { Tag: "1" } });
    expect([it.stores.references.all(), it.stores.images.list()]).toEqual([[], []]);
  });

  test("of a damaged layer fails with what is wrong with it", async () => {
    await using it = await ready();
    const [bottom] = layers.map((tar) => sha256(tar) as DiffID);
    const { cacheID } = it.stores.layers.get(chainID([bottom!]));
    await writeFile(join(it.stores.root, "vfs/dir", cacheID, "file1"), "less");
    await expect(it.push("app:1")).rejects.toMatchObject({ code: "data-loss", message: /file1/ });
  });

  test.for([
    ["app:none", /^tag does not exist: 127\S+\/app:none$/],
    ["none:1", /^An image does not exist locally with the tag: 127\S+\/none$/],
    [`app@${sha256("")}`, /^cannot push a digest reference$/],
    ["App:1", /^invalid reference format/],
  ] as const)("of %s fails", async ([name, why]) => {
    await using it = await ready();
    await expect(it.push(name)).rejects.toThrow(why);
  });
});
