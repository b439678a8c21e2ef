import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ChainID, type DiffID, nextChainID, sha256 } from "../spec/index.js";
import { LayerDB } from "./layerdb.js";
import { restore } from "./restore.js";

/** A layerdb written file by file, as dockerd does. */
describe("reading a layerdb", () => {
  let root: string;
  beforeEach(() => {
    root = fs.mkdtempSync(join(tmpdir(), "layerdb-"));
  });
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

  const hex = (seed: string) => sha256(seed).slice(7);

  function put(dir: string, facts: Readonly<Record<string, string>>): void {
    fs.mkdirSync(join(root, dir), { recursive: true });
    for (const [name, text] of Object.entries(facts)) fs.writeFileSync(join(root, dir, name), text);
  }

  /** A whole entry, `facts` changed. @returns its ChainID */
  function layer(seed: string, parent?: ChainID, facts: Readonly<Record<string, string>> = {}): ChainID {
    const diff = sha256(seed) as DiffID;
    const chainID = nextChainID(parent, diff);
    const above = parent === undefined ? {} : { parent };
    put(`sha256/${chainID.slice(7)}`, { diff, size: "10", "cache-id": hex(`cache ${seed}`), ...above, ...facts });
    return chainID;
  }

  const read = () => restore(new LayerDB(root), "image/vfs/layerdb");

  test("nothing there is an empty one", async () => {
    const { layers, rwLayers, damaged } = await read();
    expect([layers.list(), rwLayers.size, damaged]).toEqual([[], 0, []]);
  });

  test("chains come with sizes and depths, in whatever order they are read", async () => {
    const one = layer("1");
    const two = layer("2", one, { size: "5" });
    const three = layer("3", two, { size: "0" });
    const { layers, damaged } = await read();
    expect(damaged).toEqual([]);
    expect(layers.chain(three).map(({ diffSize, size, depth }) => [diffSize, size, depth])).toEqual([
      [0, 15, 3],
      [5, 15, 2],
      [10, 10, 1],
    ]);
    expect(layers.get(two)).toMatchObject({ chainID: two, parent: one, diffID: sha256("2"), cacheID: hex("cache 2") });
  });

  test("white space around facts is passed over, as dockerd does", async () => {
    const one = layer("1", undefined, { diff: `${sha256("1")}\n`, "cache-id": ` ${hex("c")}\n` });
    const two = layer("2", one, { parent: `${one}\n` });
    const { layers, damaged } = await read();
    expect(damaged).toEqual([]);
    expect(layers.get(two).parent).toBe(one);
    expect(layers.get(one).cacheID).toBe(hex("c"));
  });

  test.for([
    ["diff", "sha256:12", "diff: invalid digest"],
    ["diff", undefined, "diff is missing"],
    ["size", "10\n", String.raw`size is "10\n": want decimal digits only`],
    ["size", "", 'size is "": want decimal digits only'],
    ["size", "-1", "size is"],
    ["size", "99999999999999999999", "size is"],
    ["size", undefined, "size is missing"],
    ["cache-id", "", 'cache-id is ""'],
    ["cache-id", "../../../etc", 'cache-id is "../../../etc"'],
    ["cache-id", "l", 'cache-id is "l"'],
    ["cache-id", undefined, "cache-id is missing"],
    ["parent", "none", "parent: invalid digest"],
  ] as const)("a damaged %s (%j) is reported, and all above it; the rest is there", async ([name, text, why]) => {
    const good = layer("good");
    const bad = layer("bad");
    const above = layer("above", bad);
    const top = layer("top", above);
    if (text === undefined) fs.rmSync(join(root, "sha256", bad.slice(7), name));
    else put(`sha256/${bad.slice(7)}`, { [name]: text });
    put("mounts/on-good", { "mount-id": hex("m1"), parent: good });
    put("mounts/on-top", { "mount-id": hex("m2"), parent: top });
    const { layers, rwLayers, damaged } = await read();
    expect(layers.list().map(({ chainID }) => chainID)).toEqual([good]);
    expect([...rwLayers.keys()]).toEqual(["on-good"]);
    expect(damaged).toHaveLength(4);
    const entry = damaged.find(({ path }) => path === `image/vfs/layerdb/sha256/${bad.slice(7)}`);
    expect(entry?.why).toContain(why);
    for (const { path, why } of damaged) {
      if (!path.includes(bad.slice(7))) expect(why).toMatch(/^its parent [0-9a-f]{12} is missing or damaged$/);
    }
  });

  test("an entry under another name than its content gives is damaged, also when its parent was taken away", async () => {
    const one = layer("1");
    const two = layer("2", one);
    fs.rmSync(join(root, "sha256", two.slice(7), "parent"));
    fs.cpSync(join(root, "sha256", one.slice(7)), join(root, "sha256", hex("x")), { recursive: true });
    const { layers, damaged } = await read();
    expect(layers.list().map(({ chainID }) => chainID)).toEqual([one]);
    expect(damaged.map(({ why }) => why)).toEqual(
      Array(2).fill(expect.stringContaining("not the one it is stored under")),
    );
  });

  test("parents in a circle are damaged, and end", async () => {
    const [a, b] = [`sha256:${hex("a")}`, `sha256:${hex("b")}`] as ChainID[];
    put(`sha256/${hex("a")}`, { diff: sha256("a"), size: "1", "cache-id": hex("ca"), parent: b! });
    put(`sha256/${hex("b")}`, { diff: sha256("b"), size: "1", "cache-id": hex("cb"), parent: a! });
    const { layers, damaged } = await read();
    expect(layers.list()).toEqual([]);
    expect(damaged).toHaveLength(2);
  });

  test("names that are no layers are passed over", async () => {
    layer("1");
    put("sha256/README", {});
    put(`sha256/${hex("x").toUpperCase()}`, {});
    put(`sha256/${hex("x")}-${hex("y")}-removing`, { diff: "x" });
    const { layers, damaged } = await read();
    expect([layers.list().length, damaged]).toEqual([1, []]);
  });

  test("writable layers come with their ids", async () => {
    const parent = layer("1");
    const [m, n] = [hex("m"), hex("n")];
    put("mounts/container", { "mount-id": m, "init-id": `${m}-init`, parent });
    put("mounts/build step", { "mount-id": `${n}\n` });
    const { rwLayers } = await read();
    expect([...rwLayers.values()]).toEqual(
      expect.arrayContaining([
        { name: "container", mountID: m, initID: `${m}-init`, parent },
        { name: "build step", mountID: n },
      ]),
    );
  });

  test.for([
    [{}, "mount-id is missing"],
    [{ "mount-id": "x" }, 'mount-id is "x"'],
    [{ "mount-id": "0".repeat(64), "init-id": "../x" }, 'init-id is "../x"'],
    [
      { "mount-id": "0".repeat(64), parent: `sha256:${"1".repeat(64)}` },
      "its parent 111111111111 is missing or damaged",
    ],
  ] as const)("a damaged writable layer is reported (%j)", async ([facts, why]) => {
    put("mounts/c", facts as Record<string, string>);
    const { rwLayers, damaged } = await read();
    expect(rwLayers.size).toBe(0);
    expect(damaged).toEqual([{ path: "image/vfs/layerdb/mounts/c", why: expect.stringContaining(why) }]);
  });

  test("a writable layer keeps its parent", async () => {
    const parent = layer("1");
    put("mounts/c", { "mount-id": hex("m"), parent });
    const { layers } = await read();
    layers.acquire(parent);
    expect(layers.release(parent)).toEqual([]);
    expect(layers.undepend(parent).map(({ chainID }) => chainID)).toEqual([parent]);
  });
});
