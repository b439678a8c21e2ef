import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Inode, Meta, Tree, TreeChange } from "./index.js";
import { apply, changes, find, treeOf, walk } from "./index.js";

const meta: Meta = { mode: 0o644, uid: 0, gid: 0, mtimeNs: 1n, xattrs: new Map() };
const root: Meta = { ...meta, mode: 0o755 };
const file = (path: string, content: string): TreeChange => ({ kind: "file", path, meta, size: 1, content });
const link = (path: string, to: string): TreeChange => ({ kind: "hardlink", path, to, meta });
const kinds = (lower: Tree, upper: Tree) => [...changes(lower, upper)].map(({ kind, path }) => `${kind} ${path}`);

describe("the difference of two trees", () => {
  const lower = treeOf([file("d/a", "1"), file("d/b", "1"), file("e/f", "1")]);

  test("of a tree and itself is nothing", () => {
    expect(kinds(lower, lower)).toEqual([]);
  });

  test("is written with the directories above it, so that they keep their own meta", () => {
    expect(kinds(lower, apply(lower, [file("d/a", "2")]))).toEqual(["directory d", "file d/a"]);
  });

  test("deletes by whiteouts, one for what is gone as a whole", () => {
    expect(kinds(lower, apply(lower, [{ kind: "whiteout", path: "e" }]))).toEqual(["whiteout e"]);
    expect(kinds(lower, apply(lower, [{ kind: "whiteout", path: "d/b" }]))).toEqual(["directory d", "whiteout d/b"]);
  });

  test("tells a directory's or the root's own change", () => {
    const changed: TreeChange = { kind: "directory", path: "d", meta: { ...root, mode: 0o700 } };
    expect(kinds(lower, apply(lower, [changed]))).toEqual(["directory d"]);
    expect(kinds(lower, apply(lower, [{ ...changed, path: "" }]))).toEqual(["directory "]);
  });

  test("writes all names of a file that one is new of", () => {
    const linked = treeOf([file("d/a", "1"), link("d/c", "d/a"), file("d/b", "1"), file("e/f", "1")]);
    expect(kinds(lower, linked)).toEqual(["directory d", "file d/a", "hardlink d/c"]);
  });

  test("replaces a file by a directory and the other way round without whiteouts", () => {
    const swapped = treeOf([file("d", "1"), file("e/f/g", "1")]);
    expect(kinds(lower, swapped)).toEqual(["file d", "directory e", "directory e/f", "file e/f/g"]);
  });
});

/** Trees of few names and few files, so that links are made and broken often. */
const tangled: fc.Arbitrary<Tree> = fc
  .tuple(
    fc.array(fc.option(fc.nat(2)), { minLength: 6, maxLength: 6 }),
    fc.array(fc.constantFrom("x", "y"), { minLength: 3, maxLength: 3 }),
  )
  .map(([names, contents]) => {
    const inodes = contents.map((content): Inode => ({ kind: "file", meta, size: 1, content }));
    const at = (from: number) =>
      names.slice(from, from + 3).flatMap((pick, index): [string, Inode][] => {
        const inode = pick === null ? undefined : inodes[pick];
        return inode ? [["abc"[index]!, inode]] : [];
      });
    const inner: Inode = { kind: "directory", meta: root, entries: new Map(at(3)) };
    return { kind: "directory", meta: root, entries: new Map([...at(0), ["d", inner]]) };
  });

/** For each name, its content and the first name that is the same file. */
function shape(tree: Tree): string[] {
  const first = new Map<Inode, string>();
  return [...walk(tree)].map(([path, inode]) => {
    if (!first.has(inode)) first.set(inode, path);
    return `${path} ${inode.kind === "file" ? inode.content : inode.kind} ${first.get(inode)}`;
  });
}

test("however links are made, broken and exchanged, the difference applied to the lower tree gives the upper", () => {
  fc.assert(
    fc.property(tangled, tangled, (lower, upper) => {
      expect(shape(apply(lower, changes(lower, upper)))).toEqual(shape(upper));
    }),
    { numRuns: 2000 },
  );
});

test("files whose content nobody looked at are the same when size and time are", () => {
  const unread: TreeChange = { kind: "file", path: "f", meta, size: 1 };
  expect(kinds(treeOf([unread]), treeOf([unread]))).toEqual([]);
  expect(kinds(treeOf([unread]), treeOf([{ ...unread, size: 2 }]))).toEqual(["file f"]);
  expect(find(apply(treeOf([unread]), []), "f")).toMatchObject({ size: 1 });
});
