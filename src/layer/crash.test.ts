import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { randomID } from "../spec/index.js";
import type { Layer } from "./layer.js";
import type { LayerStore } from "./layer-store.js";
import { collect, drivers, file, sha256, streamOf, TestRoot, tarBytes, unremoving } from "./store.test.tools.js";

/**
 * What is on disk when a process is killed at each step of an operation, made by hand; the next opening must list
 * only what is whole, and leave nothing else.
 */
describe.for(drivers)("after a crash, on %s", (driver) => {
  let root: TestRoot;
  let store: LayerStore;
  let below: Layer;
  let clean: string[];
  beforeEach(async () => {
    root = await TestRoot.make(driver);
    store = await root.open();
    below = await store.register(streamOf(tarBytes([file("below", "x")])), { label: "below" });
    clean = root.inventory();
  });
  afterEach(() => root[Symbol.asyncDispose]());

  const tmp = (name: string) => join(root.layerdb, "tmp", name);
  const entry = (layer: Layer) => join(root.layerdb, "sha256", layer.chainID.slice(7));
  const above = () =>
    store.register(streamOf(tarBytes([file("above", "y")])), { label: "above", parent: below.chainID });

  async function expectSwept(leftovers: number): Promise<LayerStore> {
    const next = await root.open();
    expect(
      root.reports.filter((line) => line.startsWith("removed what an interrupted operation had left: ")),
    ).toHaveLength(leftovers);
    expect(root.reports).toHaveLength(leftovers);
    expect(next.damaged).toEqual([]);
    expect(next.list()).toEqual([below]);
    expect(next.rw.list()).toEqual([]);
    expect(root.inventory()).toEqual(clean);
    return next;
  }

  test("a clean end leaves nothing to sweep", async () => {
    await expectSwept(0);
  });

  test("register: only the write set is there", async () => {
    fs.mkdirSync(tmp(`write-set-${randomID()}`));
    await expectSwept(1);
  });

  test("register: the directory is made, nothing is in it", async () => {
    const id = randomID();
    fs.mkdirSync(tmp(`write-set-${id}`));
    await root.driver.create(id, below.cacheID);
    await expectSwept(1);
  });

  test("register: the layer is unpacked and its facts are written, the name is missing", async () => {
    const layer = await above();
    fs.renameSync(entry(layer), tmp(`write-set-${layer.cacheID}`));
    await expectSwept(1);
  });

  test("register: named, it is there", async () => {
    const layer = await above();
    const next = await root.open();
    expect(root.reports).toEqual([]);
    expect(next.chain(layer.chainID)).toEqual([layer, below]);
  });

  test.skipIf(driver !== "overlay2")(
    "place: of a chain none, some or all layers have their names, bottom first",
    async () => {
      const tars = ["a", "b", "c"].map((name) => tarBytes([file(name, name)]));
      for (let named = 0; named <= tars.length; named++) {
        const loose = await Promise.all(tars.map((tar) => store.unpack(streamOf(tar), { label: "loose" })));
        const chain = await store.place(loose, below.chainID);
        for (const layer of chain.slice(named).reverse())
          fs.renameSync(entry(layer), tmp(`write-set-${layer.cacheID}`));
        store = await root.open();
        expect(root.reports).toHaveLength(tars.length - named);
        expect(store.damaged).toEqual([]);
        expect(new Set(store.list())).toEqual(new Set([below, ...chain.slice(0, named)]));
        expect((await root.driver.list()).sort()).toEqual(
          store
            .list()
            .map(({ cacheID }) => cacheID)
            .sort(),
        );
        for (const { chainID, diffID } of store.list()) expect(sha256(await collect(store.tar(chainID)))).toBe(diffID);
        store.acquire(below.chainID);
        await store.prune();
        expect(root.inventory()).toEqual(clean);
      }
    },
  );

  test.skipIf(driver !== "overlay2")(
    "unpack: the layers are there, whole or half, and nothing has a name",
    async () => {
      await store.unpack(streamOf(tarBytes([file("whole", "x")])), { label: "loose" });
      await store
        .unpack(streamOf(tarBytes([file("attached", "x")])), { label: "loose" })
        .then(({ cacheID }) => root.driver.attach!(cacheID, below.cacheID));
      async function* stalls() {
        yield tarBytes([file("half", "x".repeat(1_000_000))]).subarray(0, 700_000);
        await new Promise(() => {});
      }
      const half = new AbortController();
      let reached = () => {};
      const midway = new Promise<void>((resolve) => {
        reached = resolve;
      });
      const unpacking = store.unpack(stalls(), { label: "half", signal: half.signal, onBytes: () => reached() });
      await Promise.race([midway, unpacking]);
      await expectSwept(3);
      half.abort();
      await expect(unpacking).rejects.toThrow();
    },
  );

  test("release: the name is gone, the directory is there, or half of it, or none", async () => {
    for (const remove of [() => {}, (layer: Layer) => root.driver.remove(layer.cacheID)]) {
      const layer = await above();
      fs.renameSync(entry(layer), `${entry(layer)}-${randomID()}-removing`);
      await remove(layer);
      store = await expectSwept(1);
    }
  });

  test("release: of the entry only some files are left", async () => {
    const layer = await above();
    const removing = `${entry(layer)}-${randomID()}-removing`;
    fs.renameSync(entry(layer), removing);
    await root.driver.remove(layer.cacheID);
    fs.rmSync(join(removing, "cache-id"));
    await expectSwept(1);
  });

  test("create: the write set and no, one or both directories", async () => {
    const steps = [
      async () => {},
      async (id: string) => root.driver.create(`${id}-init`, below.cacheID, { storage: {} }),
      async (id: string) => root.driver.create(id, `${id}-init`, { storage: {} }),
    ];
    for (let reached = 1; reached <= steps.length; reached++) {
      const id = randomID();
      fs.mkdirSync(tmp(`write-set-${id}`));
      for (const step of steps.slice(0, reached)) await step(id);
      store = await expectSwept(1);
    }
  });

  test("create: all is written but the name", async () => {
    const { name, mountID } = await store.rw.create("c", { parent: below.chainID, init: true });
    fs.renameSync(join(root.layerdb, "mounts", name), tmp(`write-set-${mountID}`));
    await expectSwept(1);
  });

  test("create: killed while its init layer was mounted", async () => {
    const id = randomID();
    fs.mkdirSync(tmp(`write-set-${id}`));
    await root.driver.create(`${id}-init`, below.cacheID, { storage: {} });
    await root.driver.mount(`${id}-init`);
    await expectSwept(1);
  });

  test("remove: the name is gone, and no, one or both directories", async () => {
    for (const remove of [[], ["mountID"], ["mountID", "initID"]] as const) {
      const rw = await store.rw.create("c", { parent: below.chainID, init: true });
      fs.renameSync(join(root.layerdb, "mounts", rw.name), tmp(`write-set-${rw.mountID}`));
      for (const which of remove) await root.driver.remove(rw[which]!);
      store = await expectSwept(1);
    }
  });

  test("dockerd's own leftovers are swept as far as they tell what they are about", async () => {
    const [named, unnamed] = [randomID(), randomID()];
    await root.driver.create(named, below.cacheID);
    await root.driver.create(unnamed, below.cacheID);
    fs.mkdirSync(tmp("write-set-123456789"));
    fs.writeFileSync(join(tmp("write-set-123456789"), "cache-id"), named);
    fs.mkdirSync(tmp("write-set-987654321"));
    const next = await root.open();
    expect(root.reports).toHaveLength(2);
    expect((await root.driver.list()).sort()).toEqual([below.cacheID, unnamed].sort());
    expect(next.list()).toEqual([below]);
  });

  test("a directory that an entry names stays, whatever a leftover says", async () => {
    fs.mkdirSync(tmp("write-set-1"));
    fs.writeFileSync(join(tmp("write-set-1"), "cache-id"), below.cacheID);
    fs.mkdirSync(`${entry(below)}-${randomID()}-removing`);
    await root.open();
    expect(await root.driver.list()).toEqual([below.cacheID]);
  });

  test("what is not ours stays", async () => {
    const foreign = randomID();
    await root.driver.create(foreign);
    fs.mkdirSync(tmp("something else"));
    fs.mkdirSync(join(root.layerdb, "sha256", "not-a-layer-removing"));
    fs.writeFileSync(join(root.layerdb, "sha256", "file"), "");
    const before = root.inventory();
    const next = await root.open();
    expect(root.inventory()).toEqual(before);
    expect(next.list()).toEqual([below]);
    expect(root.reports).toEqual([]);
  });

  test("what cannot be swept is told of, and does not stop the opening", async () => {
    const id = randomID();
    fs.mkdirSync(tmp(`write-set-${id}`));
    const next = await root.open({ driver: unremoving(root.driver) });
    expect(root.reports).toEqual([expect.stringMatching(/cannot be removed: device busy$/)]);
    expect(next.list()).toEqual([below]);
  });
});
