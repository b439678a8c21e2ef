import { describe, expect, test } from "vitest";
import type { ChainID, DiffID } from "../spec/index.js";
import type { Layer } from "./layer.js";
import { LayerTable } from "./layer-table.js";

const id = (name: string) => `sha256:${Buffer.from(name).toString("hex").padEnd(64, "0")}` as ChainID;
const nameOf = ({ chainID }: Layer) => Buffer.from(chainID.slice(7), "hex").toString().replaceAll("\0", "");

/** @param tree each layer with its parent, as `"1 2<1 3a<2"` */
function tableOf(tree: string): LayerTable {
  const table = new LayerTable();
  for (const item of tree.split(" ")) {
    const [name = "", parent] = item.split("<");
    const diffID = id(name) as string as DiffID;
    const below = parent === undefined ? {} : { parent: id(parent) };
    table.add({ chainID: id(name), diffID, cacheID: name, diffSize: 1, size: 1, depth: 1, ...below });
  }
  return table;
}

describe("LayerTable", () => {
  test("a chain goes when the last thing that refers to it does, top first", () => {
    const table = tableOf("1 2<1 3a<2 3b<2");
    for (const name of ["1", "2", "3a", "3b"]) table.acquire(id(name));
    expect(table.release(id("1"))).toEqual([]);
    expect(table.release(id("2"))).toEqual([]);
    expect(table.list().map(nameOf).sort()).toEqual(["1", "2", "3a", "3b"]);
    expect(table.release(id("3b")).map(nameOf)).toEqual(["3b"]);
    expect(table.release(id("3a")).map(nameOf)).toEqual(["3a", "2", "1"]);
    expect(table.list()).toEqual([]);
  });

  test("every handle counts", () => {
    const table = tableOf("1");
    table.acquire(id("1"));
    table.acquire(id("1"));
    expect(table.release(id("1"))).toEqual([]);
    expect(table.release(id("1")).map(nameOf)).toEqual(["1"]);
  });

  test("a layer of which no handle is out cannot be released", () => {
    const table = tableOf("1 2<1");
    expect(() => table.release(id("1"))).toThrow("layer not retained");
    expect(table.list()).toHaveLength(2);
    expect(() => table.release(id("9"))).toThrow("layer does not exist");
  });

  test("a writable layer keeps its parent", () => {
    const table = tableOf("1 2<1");
    table.acquire(id("2"));
    table.depend(id("2"));
    expect(table.release(id("2"))).toEqual([]);
    expect(table.undepend(id("2")).map(nameOf)).toEqual(["2", "1"]);
  });

  test("work on a layer puts its end off", () => {
    const table = tableOf("1 2<1");
    table.acquire(id("2"));
    table.hold(id("2"));
    table.hold(id("1"));
    expect(table.release(id("2"))).toEqual([]);
    expect(table.letGo(id("2")).map(nameOf)).toEqual(["2"]);
    expect(table.letGo(id("1")).map(nameOf)).toEqual(["1"]);
  });

  test("work on a layer that nothing refers to is no reason to delete it", () => {
    const table = tableOf("1");
    table.hold(id("1"));
    expect(table.letGo(id("1"))).toEqual([]);
    expect(table.list()).toHaveLength(1);
  });

  test("who acquires a layer that is about to go keeps it", () => {
    const table = tableOf("1");
    table.acquire(id("1"));
    table.hold(id("1"));
    table.release(id("1"));
    table.acquire(id("1"));
    expect(table.letGo(id("1"))).toEqual([]);
    expect(table.list()).toHaveLength(1);
  });

  test("what nothing refers to is found, with all below that it alone kept", () => {
    const table = tableOf("1 2<1 3a<2 3b<2 x y<x");
    table.acquire(id("3a"));
    expect(table.takeUnreferenced().map(nameOf)).toEqual(["3b", "y", "x"]);
    expect(table.list().map(nameOf).sort()).toEqual(["1", "2", "3a"]);
  });

  test("a chain is listed from its top", () => {
    expect(tableOf("1 2<1 3<2").chain(id("3")).map(nameOf)).toEqual(["3", "2", "1"]);
  });
});
