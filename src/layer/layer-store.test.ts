import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { tarOf } from "../archive/index.js";
import type { ChainID, DiffID } from "../spec/index.js";
import { nextChainID } from "../spec/index.js";
import type { Layer, ReleasedLayer } from "./layer.js";
import type { LayerStore } from "./layer-store.js";
import { collect, drivers, file, sha256, streamOf, TestRoot, tarBytes, unremoving } from "./store.test.tools.js";

const ids = (layers: readonly { readonly chainID: ChainID }[]) => layers.map(({ chainID }) => chainID);
const facts = ({ chainID, diffID, diffSize, size }: Layer): ReleasedLayer => ({ chainID, diffID, diffSize, size });

/** The cases of moby's layer store tests, docker-data-root.md 12.2. */
describe.for(drivers)("LayerStore on %s", (driver) => {
  let root: TestRoot;
  let store: LayerStore;
  beforeEach(async () => {
    root = await TestRoot.make(driver);
    store = await root.open();
  });
  afterEach(() => root[Symbol.asyncDispose]());

  const register = (tar: Uint8Array, parent?: Layer) =>
    store.register(streamOf(tar), { label: "test layer", ...(parent && { parent: parent.chainID }) });

  /** A layer of one file, as long as its name. */
  const named = (name: string, parent?: Layer) => register(tarBytes([file(name, name)]), parent);

  test("a layer is named by its content, and has its files", async () => {
    const tar = tarBytes([file("testfile.txt", "test data")]);
    const layer = await register(tar);
    const diffID = sha256(tar) as DiffID;
    expect(layer).toMatchObject({ diffID, chainID: diffID, diffSize: 9, size: 9, depth: 1 });
    expect(layer.parent).toBeUndefined();
    const above = await named("above", layer);
    expect(above.chainID).toBe(nextChainID(layer.chainID, above.diffID));
    await using mounted = await store.mount(above.chainID);
    expect(fs.readFileSync(join(mounted.path, "testfile.txt"), "utf8")).toBe("test data");
    expect(fs.readFileSync(join(mounted.path, "above"), "utf8")).toBe("above");
  });

  test("its entry in the layerdb is Docker's", async () => {
    const below = await named("below");
    const layer = await named("above", below);
    const dir = join(root.layerdb, "sha256", layer.chainID.slice(7));
    const read = (name: string) => fs.readFileSync(join(dir, name), "utf8");
    expect(fs.readdirSync(dir).sort()).toEqual(["cache-id", "diff", "parent", "size", "tar-split.json.gz"]);
    expect([read("diff"), read("size"), read("cache-id"), read("parent")]).toEqual([
      layer.diffID,
      "5",
      layer.cacheID,
      below.chainID,
    ]);
    const mode = (path: string) => (fs.statSync(path).mode & 0o7777).toString(8);
    expect(fs.readdirSync(dir).map((name) => mode(join(dir, name)))).toEqual(["644", "644", "644", "644", "644"]);
    expect([
      mode(dir),
      mode(root.layerdb),
      mode(join(root.layerdb, "sha256")),
      mode(join(root.layerdb, "tmp")),
    ]).toEqual(["700", "700", "755", "755"]);
    expect(fs.existsSync(join(root.layerdb, "sha256", below.chainID.slice(7), "parent"))).toBe(false);
  });

  test("LayerRelease: a chain is deleted with the last that refers to it, and told of from the top", async () => {
    const one = await named("1");
    const two = await named("2", one);
    const [threeA, threeB] = [await named("3a", two), await named("3b", two)];
    expect(await store.release(one.chainID)).toEqual([]);
    expect(await store.release(two.chainID)).toEqual([]);
    expect(ids(store.list()).sort()).toEqual(ids([one, two, threeA, threeB]).sort());
    expect(await store.release(threeB.chainID)).toEqual([facts(threeB)]);
    expect(await store.release(threeA.chainID)).toEqual([threeA, two, one].map(facts));
    expect(store.list()).toEqual([]);
    expect(root.inventory().filter((path) => !/\/l$|backingFsBlockDev$/.test(path))).toEqual([]);
  });

  test("StoreRestore: the next process finds the same layers and writable layers", async () => {
    const one = await named("1");
    const two = await named("2", one);
    const three = await named("3", two);
    await store.release(one.chainID);
    await store.release(two.chainID);
    const rw = await store.rw.create("some-mount_name", { parent: three.chainID });
    let path: string;
    {
      await using mounted = await store.rw.mount(rw.name);
      path = mounted.path;
      fs.writeFileSync(join(path, "testfile.txt"), "nothing here");
    }

    const next = await root.open();
    expect(root.reports).toEqual([]);
    expect(next.damaged).toEqual([]);
    expect(next.chain(three.chainID)).toEqual([three, two, one]);
    expect(next.acquire(three.chainID)).toEqual(three);
    await expect(next.rw.create("some-mount_name", { parent: three.chainID })).rejects.toMatchObject({
      code: "already-exists",
      message: expect.stringContaining("mount already exists with name"),
    });
    expect(next.rw.get("some-mount_name")).toEqual(rw);
    {
      await using once = await next.rw.mount(rw.name);
      await using twice = await next.rw.mount(rw.name);
      expect([once.path, twice.path]).toEqual([path, path]);
      expect(fs.readFileSync(join(path, "testfile.txt"), "utf8")).toBe("nothing here");
    }
    expect(await next.rw.remove(rw.name)).toEqual([]);
    expect(await next.rw.remove(rw.name)).toEqual([]);
    expect(await next.release(three.chainID)).toEqual([three, two, one].map(facts));
  });

  test("TarStreamStability: the archive comes back byte for byte, whatever else lies in the directory", async () => {
    const tar1 = tarBytes([file("etc/hosts", "127.0.0.1 localhost"), file("etc/profile", "PATH=/usr/bin")]);
    const tar2 = tarBytes([file("opt/aufs", "x"), file("opt/.wh.gone", "")]);
    const one = await register(tar1);
    {
      await using opened = await root.driver.openDiff(one.cacheID);
      const dir = opened.source.kind === "upper" ? opened.source.root : opened.source.upper;
      fs.writeFileSync(join(dir, "foreign"), "not of this layer");
    }
    const two = await register(tar2, one);
    await store.release(one.chainID);
    expect((await collect(store.tar(one.chainID))).equals(tar1)).toBe(true);
    expect((await collect(store.tar(two.chainID))).equals(tar2)).toBe(true);
    expect(await store.tarSize(one.chainID)).toBe(tar1.length);
  });

  test("RegisterExistingLayer: the same layer twice is one layer with two handles", async () => {
    const below = await named("below");
    const first = await named("twice", below);
    const before = root.inventory();
    const second = await named("twice", below);
    expect(second).toEqual(first);
    expect(root.inventory()).toEqual(before);
    expect(await store.release(first.chainID)).toEqual([]);
    expect(ids(await store.release(first.chainID))).toEqual([first.chainID]);
    await expect(store.release(first.chainID)).rejects.toThrow("layer does not exist");
  });

  test("TarStreamVerification: metadata of another layer is found out", async () => {
    const one = await register(tarBytes([file("foo", "foo", 0o644), file("bar", "bar", 0o644)]));
    const two = await register(tarBytes([file("foo", "foo", 0o600), file("bar", "bar", 0o644)]));
    const split = ({ chainID }: Layer) => join(root.layerdb, "sha256", chainID.slice(7), "tar-split.json.gz");
    fs.copyFileSync(split(two), split(one));
    const failure = expect(collect(store.tar(one.chainID))).rejects;
    await failure.toMatchObject({
      code: "data-loss",
      message: expect.stringContaining(`could not verify layer data for: ${one.diffID}. This may be because`),
    });
    expect((await collect(store.tar(two.chainID))).length).toBe(3072);
  });

  test("a file that was changed is named when the archive is read", async () => {
    const layer = await register(tarBytes([file("d/foo", "foo"), file("d/bar", "bar"), file("d/gone", "gone")]));
    await using opened = await root.driver.openDiff(layer.cacheID);
    const dir = opened.source.kind === "upper" ? opened.source.root : opened.source.upper;
    fs.writeFileSync(join(dir, "d/bar"), "BAR");
    await expect(collect(store.tar(layer.chainID))).rejects.toThrow(
      `layer ${layer.chainID}: file integrity checksum failed for "d/bar"`,
    );
    fs.writeFileSync(join(dir, "d/bar"), "bar");
    fs.unlinkSync(join(dir, "d/gone"));
    await expect(collect(store.tar(layer.chainID))).rejects.toThrow('file "d/gone" of the layer cannot be read');
  });

  test("without or with a damaged tar-split the layer can be used, not saved", async () => {
    const layer = await named("x");
    const split = join(root.layerdb, "sha256", layer.chainID.slice(7), "tar-split.json.gz");
    const whole = fs.readFileSync(split);
    fs.writeFileSync(split, whole.subarray(0, whole.length - 12));
    await expect(collect(store.tar(layer.chainID))).rejects.toThrow("tar-split damaged");
    fs.rmSync(split);
    await expect(collect(store.tar(layer.chainID))).rejects.toThrow("tar-split.json.gz is missing");
    await expect(store.tarSize(layer.chainID)).rejects.toMatchObject({ code: "data-loss" });
    await using mounted = await store.mount(layer.chainID);
    expect(fs.readdirSync(mounted.path)).toEqual(["x"]);
  });

  test("LayerSize: a layer counts its own bytes, a chain all of them", async () => {
    const one = await register(tarBytes([file("file", "Base contents")]));
    const two = await register(tarBytes([file("file2", "Added contents")]), one);
    expect([one.diffSize, one.size, two.diffSize, two.size]).toEqual([13, 13, 14, 27]);
  });

  test("Empty layer: the archive without entries is a layer as any other", async () => {
    const empty = await collect(tarOf([]));
    expect(empty).toEqual(Buffer.alloc(1024));
    const layer = await register(empty);
    expect(layer.diffID).toBe("sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef");
    expect([layer.size, layer.diffSize]).toEqual([0, 0]);
    expect((await collect(store.tar(layer.chainID))).equals(empty)).toBe(true);
  });

  test("an archive that is read keeps its layer until the reader is done", async () => {
    const layer = await named("kept");
    const reader = store.tar(layer.chainID)[Symbol.asyncIterator]();
    await reader.next();
    expect(await store.release(layer.chainID)).toEqual([]);
    expect(store.find(layer.chainID)).toBeDefined();
    await reader.return?.();
    expect(store.list()).toEqual([]);
    expect(fs.readdirSync(join(root.layerdb, "sha256"))).toEqual([]);
  });

  test("what nothing refers to can be pruned; images' layers stay", async () => {
    const [one, stray] = [await named("1"), await named("stray")];
    const two = await named("2", one);
    const next = await root.open();
    next.acquire(two.chainID);
    expect(ids(await next.prune())).toEqual([stray.chainID]);
    expect(ids(next.list()).sort()).toEqual(ids([one, two]).sort());
  });

  test("open for reading it changes nothing on disk, and says so", async () => {
    const layer = await named("1");
    fs.mkdirSync(join(root.layerdb, "tmp", `write-set-${"a".repeat(64)}`));
    const before = root.inventory();
    const next = await root.open({ writable: false });
    expect(ids(next.list())).toEqual([layer.chainID]);
    next.acquire(layer.chainID);
    const attempts = [
      next.release(layer.chainID),
      next.prune(),
      next.register(streamOf(tarBytes([])), { label: "x" }),
      next.rw.create("x"),
      next.rw.remove("x"),
    ];
    for (const attempt of attempts) await expect(attempt).rejects.toMatchObject({ code: "forbidden" });
    expect((await collect(next.tar(layer.chainID))).length).toBe(2048);
    expect(root.inventory()).toEqual(before);
  });

  test.for(["sha256", "tmp", "mounts"] as const)(
    "a file in the place of %s is told of, and in the way until removed",
    async (name) => {
      fs.rmdirSync(join(root.layerdb, name));
      fs.writeFileSync(join(root.layerdb, name), "");
      const next = await root.open();
      expect(next.damaged).toEqual([{ path: `image/${driver}/layerdb/${name}`, why: "it is no directory" }]);
      const attempt = async () => {
        await next.register(streamOf(tarBytes([file("x")])), { label: "x" });
        await next.rw.create("x");
      };
      await expect(attempt()).rejects.toThrow(/EEXIST|ENOTDIR/);
      fs.rmSync(join(root.layerdb, name));
      await attempt();
      expect((await root.driver.list()).length).toBe(2);
    },
  );

  test("a damaged entry gives way when its layer is registered again", async () => {
    const below = await named("below");
    const layer = await named("above", below);
    const dir = join(root.layerdb, "sha256", layer.chainID.slice(7));
    fs.writeFileSync(join(dir, "size"), "5\n");
    store = await root.open();
    expect(store.damaged.map(({ path }) => path)).toEqual([`image/${driver}/layerdb/sha256/${layer.chainID.slice(7)}`]);
    expect(store.find(layer.chainID)).toBeUndefined();
    const again = await named("above", below);
    expect(again).toEqual({ ...layer, cacheID: again.cacheID });
    expect((await root.driver.list()).sort()).toEqual([below.cacheID, again.cacheID].sort());
    expect((await root.open()).damaged).toEqual([]);
    expect(root.reports).toEqual([]);
  });

  test("a damaged entry upon which others lie stays, and the message says what to do", async () => {
    const below = await named("below");
    const above = await named("above", below);
    fs.rmSync(join(root.layerdb, "sha256", below.chainID.slice(7), "size"));
    store = await root.open();
    expect(store.damaged).toHaveLength(2);
    const before = root.inventory();
    await expect(named("below")).rejects.toThrow(`is damaged, and ${above.chainID.slice(7)} lies on it: remove both`);
    expect(root.inventory()).toEqual(before);
  });

  test("a directory that cannot be removed is told of, and gone from the list", async () => {
    const layer = await named("x");
    const next = await root.open({ driver: unremoving(root.driver) });
    next.acquire(layer.chainID);
    expect(await next.release(layer.chainID)).toEqual([facts(layer)]);
    expect(root.reports).toEqual([expect.stringContaining("device busy; the next start retries")]);
    expect(next.list()).toEqual([]);
    await root.open();
    expect(await root.driver.list()).toEqual([]);
  });

  test("metadata tells where the layer lies", async () => {
    const layer = await named("1");
    expect(await store.metadata(layer.chainID)).toEqual(await root.driver.metadata(layer.cacheID));
    await expect(store.metadata("sha256:none" as ChainID)).rejects.toThrow("layer does not exist");
  });
});
