import * as fs from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ChainID, chainID, type DiffID, NotImplemented, Undo } from "../spec/index.js";
import type { LayerStore } from "./layer-store.js";
import type { LooseLayer } from "./loose-layer.js";
import {
  collect,
  directory,
  drivers,
  file,
  packedTree,
  sha256,
  streamOf,
  TestRoot,
  tarBytes,
} from "./store.test.tools.js";

const label = "layer";
/** The layers of an image that uses all that layers can do to each other; the last one hides all. */
const tars = [
  packedTree(300),
  tarBytes([file("gone", "x"), directory("d"), file("d/below", "x")]),
  tarBytes([file(".wh.gone"), directory("d"), file("d/.wh..wh..opq"), file("d/own", "y")]),
  tarBytes([file(".wh..wh..opq"), directory("d"), file("d/last", "z")]),
];
const diffIDs = tars.map(sha256) as DiffID[];
const chainIDs = diffIDs.map((_, at) => chainID(diffIDs.slice(0, at + 1) as [DiffID]));

describe.skipIf(!drivers.includes("overlay2"))("layers unpacked apart and placed at once", () => {
  let root: TestRoot;
  let store: LayerStore;
  let loose: Undo;
  beforeEach(async () => {
    root = await TestRoot.make("overlay2");
    store = await root.open();
    loose = new Undo();
  });
  afterEach(() => root[Symbol.asyncDispose]());

  const unpack = async (tar: Uint8Array | AsyncIterable<Uint8Array>) => {
    const layer = await store.unpack(Symbol.asyncIterator in tar ? tar : streamOf(tar), { label });
    loose.defer(() => layer[Symbol.asyncDispose]());
    return layer;
  };
  const unpackAll = (all: readonly Uint8Array[] = tars) => Promise.all(all.map(unpack));
  const register = async (all: readonly Uint8Array[]) => {
    let parent: ChainID | undefined;
    for (const tar of all) parent = (await store.register(streamOf(tar), { label, ...(parent && { parent }) })).chainID;
    return parent!;
  };
  const entriesIn = (dir: string) => (fs.readdirSync(dir, { recursive: true, encoding: "utf8" }) as string[]).sort();
  async function merged(chain: ChainID): Promise<string[]> {
    await using mounted = await store.mount(chain);
    return entriesIn(mounted.path);
  }

  test("they are the chain that registering one after the other makes, bytes, trees and files on disk", async () => {
    const placed = await store.place(await unpackAll());
    expect(placed.map((layer) => layer.chainID)).toEqual(chainIDs);
    expect(store.chain(chainIDs.at(-1)!)).toEqual(placed.toReversed());
    for (const [at, { chainID }] of placed.entries()) {
      expect((await collect(store.tar(chainID))).equals(tars[at]!)).toBe(true);
    }
    await using other = await TestRoot.make("overlay2");
    const [mine, before] = [store, root];
    const trees = await Promise.all(chainIDs.map(merged));
    const shown = placed.map((layer) => shapeOf(root, layer));
    [root, store] = [other, await other.open()];
    await register(tars);
    expect(await Promise.all(chainIDs.map(merged))).toEqual(trees);
    expect(chainIDs.map((id) => shapeOf(other, store.get(id)))).toEqual(shown);
    [root, store] = [before, mine];
  });

  test("one handle, on the top layer, keeps them; the next opening has them all", async () => {
    await store.place(await unpackAll());
    await loose[Symbol.asyncDispose]();
    expect(() => store.get(chainIDs[3]!)).not.toThrow();
    const next = await root.open();
    expect(root.reports).toEqual([]);
    expect(next.chain(chainIDs[3]!)).toEqual(store.chain(chainIDs[3]!));
    expect(await store.release(chainIDs[3]!)).toHaveLength(4);
    expect(await root.driver.list()).toEqual([]);
    await expect(store.release(chainIDs[0]!)).rejects.toThrow("layer does not exist");
  });

  test("what is known is taken from the store, and what is loose goes", async () => {
    const below = await register(tars.slice(0, 2));
    const before = root.inventory();
    const all = await unpackAll();
    const placed = await store.place(all);
    expect(placed.map(({ cacheID }) => cacheID).slice(0, 2)).toEqual(
      store
        .chain(below)
        .map(({ cacheID }) => cacheID)
        .reverse(),
    );
    expect(await store.place(await unpackAll())).toEqual(placed);
    await loose[Symbol.asyncDispose]();
    expect(await root.driver.list()).toHaveLength(4);
    expect(await store.release(chainIDs[3]!)).toEqual([]);
    expect(await store.release(chainIDs[3]!)).toHaveLength(2);
    expect(root.inventory()).toEqual(before);
  });

  test("many at once that share layers end in one chain each, and nothing besides", async () => {
    const lists = [tars, tars.slice(0, 2), tars.slice(0, 3), tars, [tars[0]!, tars[2]!]];
    const tops = await Promise.all(
      lists.map(async (list) => (await store.place(await unpackAll(list))).at(-1)!.chainID),
    );
    await loose[Symbol.asyncDispose]();
    expect(store.list()).toHaveLength(5);
    expect(await root.driver.list()).toHaveLength(5);
    for (const top of tops) {
      for (const { chainID, diffID } of store.chain(top))
        expect(sha256(await collect(store.tar(chainID)))).toBe(diffID);
    }
    expect(await merged(tops[0]!)).toEqual(["d", "d/last"]);
    for (const top of tops) await store.release(top);
    expect(await root.driver.list()).toEqual([]);
    expect((await root.open()).list()).toEqual([]);
    expect(root.reports).toEqual([]);
  });

  test("the same layer twice in one chain is unpacked again from itself", async () => {
    const [one, two] = await unpackAll([tars[1]!, tars[2]!]);
    const again = await unpack(one!.tar());
    expect(again.diffID).toBe(one!.diffID);
    const placed = await store.place([one!, two!, again]);
    expect(placed.map(({ diffID }) => diffID)).toEqual([diffIDs[1], diffIDs[2], diffIDs[1]]);
    expect(await merged(placed[2]!.chainID)).toEqual(["d", "d/below", "d/own", "gone"]);
  });

  test("disposed without a place, and after a crash, nothing of them stays", async () => {
    const before = root.inventory();
    const all = await unpackAll();
    expect(await store.prune()).toEqual([]);
    expect(store.list()).toEqual([]);
    await loose[Symbol.asyncDispose]();
    expect(root.inventory()).toEqual(before);
    await expect(store.place(all)).rejects.toMatchObject({ code: "conflict" });
    await unpackAll();
    expect((await root.open()).list()).toEqual([]);
    expect(root.reports).toHaveLength(4);
    expect(root.inventory()).toEqual(before);
  });

  test("what cannot be placed stays loose, and can be placed elsewhere", async () => {
    const [bottom, ...others] = await unpackAll();
    await expect(store.place([bottom!], sha256(Buffer.from("none")) as ChainID)).rejects.toThrow(
      "layer does not exist",
    );
    await expect(store.place([])).rejects.toThrow("no layers");
    const sha = join(root.layerdb, "sha256");
    fs.rmSync(sha, { recursive: true });
    fs.writeFileSync(sha, "in the way");
    await expect(store.place([bottom!, ...others])).rejects.toThrow("EEXIST");
    fs.rmSync(sha);
    const placed = await store.place([bottom!]);
    expect(await store.place(others, placed[0]!.chainID)).toHaveLength(3);
    expect((await root.open()).list()).toHaveLength(4);
  });

  test("a damaged chain gives way to the same one, whole", async () => {
    const top = await register(tars);
    await store.release(top);
    await register(tars);
    for (const id of chainIDs.slice(1, 3)) fs.rmSync(join(root.layerdb, "sha256", id.slice(7), "cache-id"));
    store = await root.open();
    expect(store.damaged).toHaveLength(3);
    await store.place(await unpackAll());
    expect((await root.open()).damaged).toEqual([]);
  });

  test("a chain of more than 125 layers is refused", async () => {
    const all: LooseLayer[] = [];
    for (let at = 0; at < 126; at += 6) {
      const some = Array.from({ length: 6 }, (_, more) => tarBytes([file(String(at + more))]));
      all.push(...(await unpackAll(some)));
    }
    await expect(store.place(all)).rejects.toThrow("max depth exceeded: a chain has at most 125 layers");
    const [top] = (await store.place(all.slice(0, 125))).slice(-1);
    expect(top).toMatchObject({ depth: 125 });
    await expect(store.place(all.slice(125), top!.chainID)).rejects.toThrow("max depth exceeded");
    expect(await merged(top!.chainID)).toHaveLength(125);
  });

  test("compressed, refused and mismatched layers are as with register", async () => {
    const before = root.inventory();
    const bad = store.unpack(streamOf(tarBytes([file("../x")])), { label: "layer 2 of 3" });
    await expect(bad).rejects.toThrow(/^layer 2 of 3: .*"\.\.\/x"/);
    const other = store.unpack(streamOf(tars[1]!), { label, expected: diffIDs[0]! });
    await expect(other).rejects.toThrow(`invalid diffID for layer ${label}`);
    expect(root.inventory()).toEqual(before);
    expect((await unpack(gzipSync(tars[1]!))).diffID).toBe(diffIDs[1]);
  });
});

describe.for(drivers.filter((name) => name !== "overlay2"))("where layers are whole trees, on %s", (driver) => {
  test("they are registered one upon the other only", async () => {
    await using root = await TestRoot.make(driver);
    const store = await root.open();
    expect(store.canUnpack).toBe(false);
    await expect(store.unpack(streamOf(tars[0]!), { label })).rejects.toThrow(NotImplemented);
  });
});

/** Everything of a layer that does not differ from one making to the next: files with modes, and what is in them. */
function shapeOf(
  root: TestRoot,
  { cacheID, chainID }: { readonly cacheID: string; readonly chainID: string },
): unknown {
  const entry = join(root.layerdb, "sha256", chainID.slice(7));
  const list = (dir: string) => fs.readdirSync(dir).map((name) => `${name} ${fs.lstatSync(join(dir, name)).mode}`);
  const fact = (name: string) => fs.existsSync(join(entry, name)) && fs.readFileSync(join(entry, name), "utf8");
  const dir = join(root.home, cacheID);
  return [list(entry), list(dir), list(join(dir, "diff")), fact("diff"), fact("size"), fact("parent")];
}
