import { describe, expect, test } from "vitest";
import type { Meta, TreeChange } from "./index.js";
import { changesOf, find, treeOf } from "./index.js";

const meta: Meta = { mode: 0o640, uid: 1, gid: 2, mtimeNs: 3n, xattrs: new Map() };
const other: Meta = { ...meta, mode: 0o600 };
const file = (path: string): TreeChange => ({ kind: "file", path, meta, size: 0 });
const whiteout = (path: string): TreeChange => ({ kind: "whiteout", path });

describe("the tree of a layer", () => {
  test("has directories that no change names, as Docker makes them", () => {
    expect(find(treeOf([file("a/b/f")]), "a/b")?.meta).toEqual({
      mode: 0o755,
      uid: 0,
      gid: 0,
      mtimeNs: 0n,
      xattrs: new Map(),
    });
  });

  test("keeps what is in a directory that is named later", () => {
    const tree = treeOf([file("d/f"), { kind: "directory", path: "d", meta: other }]);
    expect(find(tree, "d")?.meta).toBe(other);
    expect(find(tree, "d/f")?.kind).toBe("file");
  });

  test("has the later of two entries", () => {
    const tree = treeOf([{ kind: "directory", path: "x", meta }, file("x/f"), { kind: "fifo", path: "x", meta }]);
    expect(find(tree, "x")?.kind).toBe("fifo");
    expect(find(tree, "x/f")).toBeUndefined();
  });

  test("has an opaque directory in the place of a whiteout", () => {
    expect(find(treeOf([whiteout("d"), { kind: "directory", path: "d", meta }]), "d")).toMatchObject({ opaque: true });
    expect(find(treeOf([whiteout("d"), file("d/f")]), "d")).toMatchObject({ opaque: true });
  });

  test("gives a linked file the meta of its last name", () => {
    const tree = treeOf([file("a"), { kind: "hardlink", path: "b", to: "a", meta: other }]);
    expect(find(tree, "a")).toBe(find(tree, "b"));
    expect(find(tree, "a")?.meta).toBe(other);
  });

  test("can be told the root's meta", () => {
    expect(treeOf([], other).meta).toBe(other);
    expect(treeOf([{ kind: "directory", path: "", meta }], other).meta).toBe(meta);
  });
});

test.for([
  ["a link to what the layer has not", "ENOENT", [{ kind: "hardlink", path: "b", to: "a", meta }]],
  ["a link to what it deletes", "ENOENT", [whiteout("a"), { kind: "hardlink", path: "b", to: "a", meta }]],
  ["a link to a directory", "EPERM", [file("d/f"), { kind: "hardlink", path: "b", to: "d", meta }]],
  ["something below a file", "ENOTDIR", [file("a"), file("a/b")]],
  ["an opaque file", "ENOTDIR", [file("a"), { kind: "opaque", path: "a" }]],
  ["a whiteout of what it has", "EEXIST", [file("a"), whiteout("a")]],
  ["a root that is no directory", "EISDIR", [file("")]],
] as [string, string, TreeChange[]][])("a layer cannot have %s", ([, code, changes]) => {
  expect(() => treeOf(changes)).toThrow(expect.objectContaining({ name: "FileSystemError", code }));
});

test("changes come in byte order, a directory before what is in it, a mark at once behind its directory", () => {
  const tree = treeOf([file("b"), file("a/f"), { kind: "opaque", path: "a" }, file("a-b"), whiteout("a/c")]);
  expect([...changesOf(tree)].map(({ kind, path }) => `${kind} ${path}`)).toEqual([
    "directory a",
    "opaque a",
    "whiteout a/c",
    "file a/f",
    "file a-b",
    "file b",
  ]);
});

test("the first name in order is the file, the others are links to it", () => {
  const tree = treeOf([file("z"), { kind: "hardlink", path: "a", to: "z", meta }]);
  expect([...changesOf(tree)]).toMatchObject([
    { kind: "file", path: "a" },
    { kind: "hardlink", path: "z", to: "a" },
  ]);
});
