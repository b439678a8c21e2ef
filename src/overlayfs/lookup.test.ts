import { describe, expect, test } from "vitest";
import type { Meta, Tree, TreeChange } from "./index.js";
import { list, lookup, merge, treeOf, walk } from "./index.js";

const meta: Meta = { mode: 0o755, uid: 0, gid: 0, mtimeNs: 0n, xattrs: new Map() };
const file = (path: string, content = path): TreeChange => ({
  kind: "file",
  path,
  meta,
  size: content.length,
  content,
});
const dir = (path: string): TreeChange => ({ kind: "directory", path, meta });
const whiteout = (path: string): TreeChange => ({ kind: "whiteout", path });
const opaque = (path: string): TreeChange => ({ kind: "opaque", path });

/** Layers bottom first, each by its changes. */
const stack = (...layers: TreeChange[][]): Tree[] => layers.map((changes) => treeOf(changes));
const paths = (layers: Tree[]) => [...walk(merge(layers))].map(([path]) => path);

describe("a whiteout", () => {
  const layers = stack([file("d/f"), file("d/g")], [file("d/f", "2")], [whiteout("d/f")]);

  test("hides the file in every layer below", () => {
    expect(lookup(layers, "d/f")).toBeUndefined();
    expect(paths(layers)).toEqual(["d", "d/g"]);
  });

  test("hides a directory with all in it", () => {
    expect(paths([...layers, treeOf([whiteout("d")])])).toEqual([]);
  });

  test("does not hide what layers above bring", () => {
    expect(lookup([...layers, treeOf([file("d/f", "4")])], "d/f")).toMatchObject({ layer: 3, inode: { content: "4" } });
  });

  test("of what is nowhere leaves its directory behind", () => {
    expect(paths(stack([], [whiteout("new/x")]))).toEqual(["new"]);
  });
});

describe("an opaque directory", () => {
  test("hides what layers below have in it, and keeps its own", () => {
    const layers = stack([file("d/f"), file("d/sub/g")], [dir("d"), opaque("d"), file("d/own")]);
    expect(paths(layers)).toEqual(["d", "d/own"]);
  });

  test("hides it also if the mark comes before or after what is its own", () => {
    const before = stack([file("d/f")], [opaque("d"), file("d/own")]);
    const after = stack([file("d/f")], [file("d/own"), opaque("d")]);
    expect(paths(before)).toEqual(paths(after));
  });

  test("lets layers above add to it", () => {
    expect(paths(stack([file("d/f")], [opaque("d"), file("d/a")], [file("d/b")]))).toEqual(["d", "d/a", "d/b"]);
  });

  test("at the root hides all layers below", () => {
    expect(paths(stack([file("f")], [opaque(""), file("g")]))).toEqual(["g"]);
  });
});

describe("a directory and something else by one name", () => {
  test("a file hides the directory below", () => {
    expect(paths(stack([file("x/f")], [file("x")]))).toEqual(["x"]);
  });

  test("a directory hides the file below, and what lies under that", () => {
    const layers = stack([file("x/deep")], [file("x")], [file("x/new")]);
    expect(paths(layers)).toEqual(["x", "x/new"]);
  });

  test("something below a file is not there", () => {
    expect(lookup(stack([file("x/f")], [file("x")]), "x/f")).toBeUndefined();
  });
});

describe("what provides a path", () => {
  const layers = stack([file("etc/a"), file("etc/b")], [file("etc/b", "2")], [file("var/c")]);

  test("is the topmost layer that has it", () => {
    expect(["etc/a", "etc/b", "var/c", "etc"].map((path) => lookup(layers, path)?.layer)).toEqual([0, 1, 2, 1]);
  });

  test("of a directory is every layer that has a part of it, topmost first", () => {
    expect(lookup(layers, "etc")?.places.map(({ layer }) => layer)).toEqual([1, 0]);
    expect(lookup(layers, "")?.places.map(({ layer }) => layer)).toEqual([2, 1, 0]);
  });

  test("is told for each entry of a directory", () => {
    const root = lookup(layers, "");
    const found = root && [...list(layers, root)].map(([name, { layer }]) => [name, layer]);
    expect(found?.sort()).toEqual([
      ["etc", 1],
      ["var", 2],
    ]);
  });

  test("is nothing in no layers", () => {
    expect(lookup([], "")).toBeUndefined();
    expect(paths([])).toEqual([]);
  });
});

test("a redirected directory brings what layers below have at the place it came from", () => {
  const moved: TreeChange = { kind: "directory", path: "new/b", meta, redirect: "/old/a" };
  const layers = stack([file("old/a/f")], [moved, whiteout("old/a"), file("new/b/own")]);
  expect(paths(layers)).toEqual(["new", "new/b", "new/b/f", "new/b/own", "old"]);
});

test("names that are hard links in a layer are so in the merged tree", () => {
  const linked = merge(stack([file("a"), { kind: "hardlink", path: "d/b", to: "a", meta }], [file("d/c")]));
  const [a, b] = ["a", "d/b"].map((path) => lookup([linked], path)?.inode);
  expect(a).toBe(b);
});
