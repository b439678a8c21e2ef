import { describe, expect, test } from "vitest";
import { dockerArchive, type Sample } from "../../../test/oracle/image-archives.js";
import { bytes, configOf, freshStores, gathered, layerTar } from "../../../test/oracle/image-stores.js";
import { parseImageConfig, sha256 } from "../../spec/index.js";
import type { ProgressMessage } from "../api-image.js";
import { ImageOperations } from "./operations.js";
import type { ImageUser } from "./parts.js";

const layer = layerTar({ "etc/a": "a" });
const app: Sample = { layers: [layer], config: configOf([layer], { config: { Labels: { l: "1" } } }), tags: ["app:1"] };
const id = sha256(app.config!);

/** Operations on fresh stores, what they told, and who uses images. */
async function operations() {
  const stores = await freshStores();
  const events: unknown[] = [];
  const users: ImageUser[] = [];
  const { images, references, layers, distribution, registries, pulls, pushes, tmp, driver } = stores;
  const all = new ImageOperations({
    ...{ images, references, layers, distribution, registries, pulls, pushes, tmp, driver },
    usersOf: () => users,
    emit: (...event) => events.push(event),
  });
  return { all, events, users, stores, [Symbol.asyncDispose]: () => stores[Symbol.asyncDispose]() };
}

async function collected(messages: AsyncIterable<ProgressMessage>): Promise<ProgressMessage[]> {
  const all: ProgressMessage[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

describe("load", () => {
  test("tells of layers, then of names", async () => {
    await using it = await operations();
    const messages = await collected(it.all.load(bytes(dockerArchive([app]))));
    const progress = { current: layer.length, total: layer.length };
    expect(messages.at(-2)).toEqual({
      status: "Loading layer",
      progressDetail: progress,
      id: sha256(layer).slice(7, 19),
    });
    expect(messages.at(-1)).toEqual({ stream: "Loaded image: app:1\n" });
    expect(it.events).toEqual([["load", id, { l: "1", name: id }]]);
  });

  test("quietly tells of names alone, also those that moved", async () => {
    await using it = await operations();
    await collected(it.all.load(bytes(dockerArchive([app]))));
    const next: Sample = { layers: [], tags: ["app:1"] };
    expect(await collected(it.all.load(bytes(dockerArchive([next])), { quiet: true }))).toEqual([
      { stream: `The image app:1 already exists, renaming the old one with ID ${id} to empty string\n` },
      { stream: "Loaded image: app:1\n" },
    ]);
    const nameless = dockerArchive([{ layers: [layer] }]);
    expect(await collected(it.all.load(bytes(nameless), { quiet: true }))).toEqual([
      { stream: `Loaded image ID: ${sha256(configOf([layer]))}\n` },
    ]);
  });

  test("throws what is wrong", async () => {
    await using it = await operations();
    await expect(collected(it.all.load(bytes(Buffer.alloc(2048, "x"))))).rejects.toMatchObject({
      code: "invalid-parameter",
    });
    expect(it.events).toEqual([]);
  });
});

test("save tells of each image, and gives what load takes", async () => {
  await using it = await operations();
  await collected(it.all.load(bytes(dockerArchive([app]))));
  const archive = await gathered(await it.all.save(["app:1"]));
  expect(it.events.at(-1)).toEqual(["save", id, { l: "1", name: id }]);
  await using other = await operations();
  await collected(other.all.load(bytes(archive)));
  expect((await other.all.list()).map(({ Id, RepoTags }) => [Id, RepoTags])).toEqual([[id, ["app:1"]]]);
});

describe("import", () => {
  test("makes an image of one layer, with a config of Dockerfile lines", async () => {
    await using it = await operations();
    const options = { repo: "imported:x", tag: "y", changes: ["ENV A=b", 'CMD ["sh"]'], message: "hello" };
    const [message, ...more] = await collected(it.all.import(bytes(layer), options));
    expect(more).toEqual([]);
    const [image] = it.stores.images.list();
    expect(message).toEqual({ status: image!.id });
    expect(parseImageConfig(await it.stores.images.config(image!.id))).toMatchObject({
      os: "linux",
      comment: "hello",
      config: { Env: ["A=b"], Cmd: ["sh"] },
      history: [{ comment: "hello", created: image!.config.created }],
      rootfs: { diff_ids: [sha256(layer)] },
    });
    expect((await it.all.list()).map(({ RepoTags }) => RepoTags)).toEqual([["imported:y"]]);
    expect((await it.all.inspect("imported:y")).Metadata.LastTagTime).toMatch(/^20/);
    expect(it.events.map((event) => (event as string[])[0])).toEqual(["tag", "import"]);
    expect(await it.stores.left()).toEqual([]);
  });

  test("of nothing is an empty image, for any platform of Linux", async () => {
    await using it = await operations();
    await collected(it.all.import(bytes(), { platform: "linux/arm/v6" }));
    const [image] = it.stores.images.list();
    expect(image?.config).toMatchObject({ architecture: "arm", variant: "v6", comment: "Imported from -" });
    expect(image?.config.rootfs.diff_ids).toEqual([sha256("")]);
  });

  test.for([
    ["no tar", Buffer.alloc(2048, "x"), {}, /imported archive/],
    ["a name that is none", layer, { repo: "A" }, /invalid reference format/],
    ["a tag that is none", layer, { repo: "a", tag: "b c" }, /invalid tag format/],
    ["a name by digest", layer, { repo: `a@${sha256("")}` }, /cannot import digest reference/],
    ["a change that is none", layer, { changes: ["RUN x"] }, /run is not a valid change command/],
    ["another system", layer, { platform: "windows/amd64" }, /operating system is not supported/],
    ["a platform that is none", layer, { platform: "linux/a/b/c" }, /invalid platform/],
  ] as const)("of %s is refused, and leaves nothing", async ([, archive, options, why]) => {
    await using it = await operations();
    const importing = collected(it.all.import(bytes(archive), options));
    await expect(importing).rejects.toMatchObject({ code: "invalid-parameter", message: expect.stringMatching(why) });
    expect(it.stores.images.list()).toEqual([]);
    expect(await it.stores.left()).toEqual([]);
  });
});

test("an image of a running container is not removed, whatever the force", async () => {
  await using it = await operations();
  await collected(it.all.load(bytes(dockerArchive([app]))));
  it.users.push({ id: "c".repeat(64), running: true });
  const text = `conflict: unable to delete ${id.slice(7, 19)} (cannot be forced) - image is being used by running container ${"c".repeat(12)}`;
  await expect(it.all.remove(id, { force: true })).rejects.toMatchObject({ code: "conflict", message: text });
  expect(await it.all.remove("app:1", { force: true })).toEqual([{ Untagged: "app:1" }]);
  await expect(it.all.remove(id, { force: true })).rejects.toThrow(text);
  it.users.length = 0;
  expect(await it.all.remove(id)).toEqual([{ Deleted: id }, { Deleted: sha256(layer) }]);
});
