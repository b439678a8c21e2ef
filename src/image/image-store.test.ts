import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configOf, freshStores, layerTar, registered, Stores } from "../../test/oracle/image-stores.js";
import type { LayerStore } from "../layer/index.js";
import { hexOf, type ImageID, parseRFC3339, sha256 } from "../spec/index.js";
import { ImageStore } from "./image-store.js";

const bottom = layerTar({ a: "1" });
const top = layerTar({ b: "2" });
const imagedb = (id: ImageID, what = "content") => `imagedb/${what}/sha256/${hexOf(id)}`;

/** A config without layers, another for each text. */
const bare = (comment: string) => configOf([], { comment });

describe("an image", () => {
  test("is its config, byte for byte, under the digest of it", async () => {
    await using stores = await freshStores();
    const config = Buffer.from('{"comment": "abc",\n "rootfs": {"type": "layers"}}\n');
    const image = await stores.images.create(config);
    expect(image.id).toBe(sha256(config));
    expect(image.topLayer).toBeUndefined();
    const path = join(stores.root, "image/vfs", imagedb(image.id));
    expect(await readFile(path)).toEqual(config);
    expect(await stores.images.config(image.id)).toEqual(config);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    for (const dir of ["imagedb", "imagedb/content", "imagedb/content/sha256", "imagedb/metadata/sha256"]) {
      expect((await stat(join(stores.root, "image/vfs", dir))).mode & 0o777, dir).toBe(0o700);
    }
  });

  test("holds its top layer until it is deleted", async () => {
    await using stores = await freshStores();
    const chain = await registered(stores.layers, [bottom, top]);
    const image = await stores.images.create(configOf([bottom, top]));
    expect(image.topLayer).toBe(chain);
    expect(await stores.layers.release(chain)).toEqual([]);
    const removed = await stores.images.delete(image.id);
    expect(removed.map(({ diffID }) => diffID)).toEqual([sha256(top), sha256(bottom)]);
    expect(await stores.left()).toEqual([]);
    expect(await stores.disk("imagedb")).toEqual([]);
  });

  test("created twice is one, and holds its layer once", async () => {
    await using stores = await freshStores();
    const chain = await registered(stores.layers, [bottom]);
    const config = configOf([bottom]);
    const [one, other] = await Promise.all([stores.images.create(config), stores.images.create(config)]);
    expect(other).toEqual(one);
    await stores.layers.release(chain);
    expect(await stores.images.delete(one.id)).toHaveLength(1);
    await expect(stores.images.delete(one.id)).rejects.toMatchObject({ code: "not-found" });
  });

  test("is refused without its layers, and nothing stays", async () => {
    await using stores = await freshStores();
    await expect(stores.images.create(configOf([bottom]))).rejects.toThrow(`failed to get layer ${sha256(bottom)}`);
    expect(stores.images.list()).toEqual([]);
    expect(await stores.disk("imagedb")).toEqual([]);
  });

  test.for(["", "{}", "[]", '{"rootfs":{"diff_ids":["x"]}}'])("is not made of %j", async (config) => {
    await using stores = await freshStores();
    await expect(stores.images.create(Buffer.from(config))).rejects.toMatchObject({ code: "invalid-parameter" });
    expect(await stores.disk("imagedb")).toEqual([]);
  });

  test("that cannot be written gives its layer back", async () => {
    await using stores = await freshStores();
    const chain = await registered(stores.layers, [bottom]);
    await rm(join(stores.root, "image/vfs/imagedb/content/sha256"), { recursive: true });
    await expect(stores.images.create(configOf([bottom]))).rejects.toThrow("failed to write digest data");
    expect(await stores.layers.release(chain)).toHaveLength(1);
  });

  test("changed on disk is not read", async () => {
    await using stores = await freshStores();
    const { id } = await stores.images.create(bare("x"));
    await writeFile(join(stores.root, "image/vfs", imagedb(id)), bare("y"));
    await expect(stores.images.config(id)).rejects.toThrow(/^failed to verify image sha256:/);
    await rm(join(stores.root, "image/vfs", imagedb(id)));
    await expect(stores.images.config(id)).rejects.toThrow(`failed to get digest ${id}`);
  });
});

describe("what is known beside the config", () => {
  test("parents and children, heads, and who was tagged when", async () => {
    await using stores = await freshStores();
    const { images } = stores;
    const [a, b, c] = await Promise.all(["a", "b", "c"].map((name) => images.create(bare(name))));
    await images.setParent(b!.id, a!.id);
    await images.setParent(c!.id, a!.id);
    expect(
      images
        .children(a!.id)
        .map(({ id }) => id)
        .sort(),
    ).toEqual([b!.id, c!.id].sort());
    expect(
      images
        .heads()
        .map(({ id }) => id)
        .sort(),
    ).toEqual([b!.id, c!.id].sort());
    await images.setParent(c!.id, b!.id);
    expect(images.children(a!.id).map(({ id }) => id)).toEqual([b!.id]);
    expect(images.heads().map(({ id }) => id)).toEqual([c!.id]);
    const before = Date.now();
    await images.setTagged(b!.id);
    const tagged = Number(parseRFC3339(images.get(b!.id).lastTagged ?? "") ?? 0n) / 1e6;
    expect(tagged).toBeGreaterThan(before - 10);
    expect(images.get(a!.id).lastTagged).toBeUndefined();
    expect(await stores.disk("imagedb/metadata")).toEqual(
      [
        `${imagedb(b!.id, "metadata")}/parent`,
        `${imagedb(b!.id, "metadata")}/lastUpdated`,
        `${imagedb(c!.id, "metadata")}/parent`,
      ].sort(),
    );
    const again = await stores.reopen();
    expect(again.images.get(b!.id)).toEqual(images.get(b!.id));
    expect(again.images.get(c!.id).parent).toBe(b!.id);
  });

  test("a deleted parent is no one's parent", async () => {
    await using stores = await freshStores();
    const { images } = stores;
    const [a, b] = await Promise.all(["a", "b"].map((name) => images.create(bare(name))));
    await images.setParent(b!.id, a!.id);
    await images.setTagged(a!.id);
    await images.delete(a!.id);
    expect(images.get(b!.id).parent).toBeUndefined();
    expect(await stores.disk("imagedb")).toEqual([imagedb(b!.id)]);
    expect((await stores.reopen()).images.get(b!.id).parent).toBeUndefined();
  });

  test("an unknown parent is refused", async () => {
    await using stores = await freshStores();
    const { id } = await stores.images.create(bare("a"));
    const unknown = sha256("no image") as ImageID;
    await expect(stores.images.setParent(id, unknown)).rejects.toMatchObject({ code: "not-found" });
    await expect(stores.images.setTagged(unknown)).rejects.toMatchObject({ code: "not-found" });
    expect(await stores.disk("imagedb")).toEqual([imagedb(id)]);
  });
});

describe("searching", () => {
  let stores: Awaited<ReturnType<typeof freshStores>>;
  const known = Buffer.from('{"comment": "abc", "rootfs": {"type": "layers"}}');
  beforeAll(async () => {
    stores = await freshStores();
    await stores.images.create(known);
    for (let n = 0; n < 40; n++) await stores.images.create(bare(`${n}`));
  });
  afterAll(() => stores[Symbol.asyncDispose]());

  test("an id is found by its beginning, with and without sha256:", () => {
    const id = sha256(known);
    for (const length of [10, 6, 64]) {
      expect(stores.images.search(hexOf(id).slice(0, length))?.id).toBe(id);
      expect(stores.images.search(id.slice(0, "sha256:".length + length))?.id).toBe(id);
    }
  });

  test.for(["", "sha256:", "zz", hexOf(sha256(known)).slice(4, 12), `${hexOf(sha256(known))}0`])(
    "%j finds nothing",
    (text) => {
      expect(stores.images.search(text)).toBeUndefined();
    },
  );

  test("a beginning that many have finds nothing", () => {
    // 41 ids and 16 digits: some digit begins more than one.
    const crowded = [..."0123456789abcdef"].find(
      (digit) => stores.images.list().filter(({ id }) => hexOf(id).startsWith(digit)).length > 1,
    );
    expect(stores.images.search(crowded ?? "")).toBeUndefined();
  });
});

describe("opening", () => {
  test("gives back what was there, and holds the layers again", async () => {
    await using stores = await freshStores();
    const chain = await registered(stores.layers, [bottom, top]);
    const image = await stores.images.create(configOf([bottom, top]));
    await stores.layers.release(chain);
    const again = await stores.reopen();
    expect(again.images.list()).toEqual([image]);
    expect(again.images.damaged).toEqual([]);
    expect(await again.layers.prune()).toEqual([]);
    expect(await again.images.delete(image.id)).toHaveLength(2);
  });

  test("passes over damaged images, tells why, and leaves them", async () => {
    await using stores = await freshStores();
    const fine = await stores.images.create(bare("fine"));
    const content = join(stores.root, "image/vfs/imagedb/content/sha256");
    const put = (hex: string, data: string | Buffer) => writeFile(join(content, hex), data);
    const noJSON = "not json";
    const [wrongHash, missingLayer] = [hexOf(sha256("other")), configOf([layerTar({ gone: "x" })])];
    await put(wrongHash, bare("wrong"));
    await put(hexOf(sha256(noJSON)), noJSON);
    await put(hexOf(sha256(missingLayer)), missingLayer);
    await put("README", "no image");
    await mkdir(join(content, "f".repeat(64)));
    const again = await stores.reopen();
    expect(again.images.list()).toEqual([fine]);
    const whys = new Map(again.images.damaged.map(({ path, why }) => [path.slice(content.length + 1), why]));
    expect(whys.get(wrongHash)).toMatch(/^failed to verify image/);
    expect(whys.get(hexOf(sha256(noJSON)))).toMatch(/^invalid image config/);
    expect(whys.get(hexOf(sha256(missingLayer)))).toMatch("layer does not exist, not restoring image");
    expect(whys.get("f".repeat(64))).toMatch("EISDIR");
    expect(whys.size).toBe(4);
    for (const hex of whys.keys()) await stat(join(content, hex));
  });

  test("an image whose file was damaged can be created again", async () => {
    await using stores = await freshStores();
    const { id } = await stores.images.create(bare("x"));
    await stores.images.setTagged(id);
    const before = stores.images.get(id);
    await writeFile(join(stores.root, "image/vfs", imagedb(id)), "{");
    const again = await stores.reopen();
    expect(again.images.find(id)).toBeUndefined();
    expect(await again.images.create(bare("x"))).toEqual(before);
    expect((await stores.reopen()).images.find(id)).toEqual(before);
  });

  test("sweeps what cut-off operations left, and tells", async () => {
    await using stores = await freshStores();
    const image = await stores.images.create(bare("x"));
    const db = join(stores.root, "image/vfs/imagedb");
    const gone = hexOf(sha256("gone"));
    await mkdir(join(db, "metadata/sha256", gone));
    await writeFile(join(db, "metadata/sha256", gone, "parent"), image.id);
    await writeFile(join(db, "content/sha256", ".tmp-abc1"), "{");
    await stores.images.setTagged(image.id);
    await writeFile(join(db, "metadata/sha256", hexOf(image.id), "parent"), `sha256:${gone}`);
    await writeFile(join(db, "metadata/sha256", hexOf(image.id), ".tmp-parent2"), "sha");
    const again = await stores.reopen();
    expect(await stores.disk("imagedb")).toEqual([imagedb(image.id), `${imagedb(image.id, "metadata")}/lastUpdated`]);
    expect(again.images.get(image.id).parent).toBeUndefined();
    expect(again.swept).toHaveLength(4);
    expect((await stores.reopen()).swept).toEqual([]);
  });

  test("read only changes nothing on disk, and offers no change", async () => {
    await using stores = await freshStores();
    const { id } = await stores.images.create(bare("x"));
    await writeFile(join(stores.root, "image/vfs/imagedb/content/sha256/.tmp-abc1"), "{");
    const before = await stores.disk();
    const options = { root: join(stores.root, "image/vfs"), layers: stores.layers, writable: false };
    const images = await ImageStore.open(options);
    expect(images.list().map((image) => image.id)).toEqual([id]);
    for (const change of [images.create(bare("y")), images.delete(id), images.setTagged(id)]) {
      await expect(change).rejects.toMatchObject({ code: "forbidden" });
    }
    expect(await stores.disk()).toEqual(before);
  });

  test.for(["imagedb", "imagedb/content", "imagedb/metadata", "imagedb/content/sha256"])(
    "a file where %s should be is told",
    async (path) => {
      const root = await mkdtemp(join(tmpdir(), "imagedb-"));
      try {
        await mkdir(join(root, path, ".."), { recursive: true });
        await writeFile(join(root, path), "");
        const opening = ImageStore.open({ root, layers: {} as LayerStore, writable: true });
        await expect(opening).rejects.toThrow("failed to create storage backend");
      } finally {
        await rm(root, { recursive: true });
      }
    },
  );
});

test("stores of one root see what the other wrote once they are opened anew", async () => {
  await using stores = await freshStores();
  const { id } = await stores.images.create(bare("x"));
  await using again = await Stores.open(stores.root);
  expect(again.images.get(id).config.comment).toBe("x");
});
