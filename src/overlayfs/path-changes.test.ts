import { describe, expect, test } from "vitest";
import type { Meta, TreeChange } from "./index.js";
import { apply, pathChanges, treeOf } from "./index.js";

const second = 1_000_000_000n;
const meta: Meta = { mode: 0o644, uid: 0, gid: 0, mtimeNs: 7n * second + 5n, xattrs: new Map() };
const file = (path: string, size = 1, change: Partial<Meta> = {}): TreeChange => ({
  kind: "file",
  path,
  meta: { ...meta, ...change },
  size,
});
const dir = (path: string, change: Partial<Meta> = {}): TreeChange => ({
  kind: "directory",
  path,
  meta: { ...meta, ...change },
});
const dev = (kind: "char" | "block", mtimeNs: bigint, minor = 1): TreeChange => {
  return { kind, path: "dev", meta: { ...meta, mtimeNs }, major: 1, minor };
};

/** What `docker diff` prints, sorted. */
function diff(lower: TreeChange[], upper: TreeChange[]): string[] {
  const letters = { modified: "C", added: "A", deleted: "D" };
  return pathChanges(treeOf(lower), treeOf(upper)).map(({ kind, path }) => `${letters[kind]} ${path}`);
}

describe("path changes", () => {
  const lower = [dir("d"), file("d/f"), dir("d/sub"), file("d/sub/g"), file("x")];

  test("list what is new with all in it, what is gone as one, and the directories above", () => {
    const upper = [dir("d"), file("d/f"), dir("n"), file("n/a"), file("d/y"), file("x")];
    expect(diff(lower, upper)).toEqual(["C /d", "D /d/sub", "A /d/y", "A /n", "A /n/a"]);
  });

  test("never list the root", () => {
    expect(diff([dir(""), file("a")], [dir("", { mode: 0o700 }), file("b")])).toEqual(["D /a", "A /b"]);
  });

  test("list a file that became a directory as modified with what is in it as new", () => {
    expect(diff([file("x")], [dir("x"), file("x/a")])).toEqual(["C /x", "A /x/a"]);
    expect(diff([dir("x"), file("x/a")], [file("x")])).toEqual(["C /x"]);
  });

  test.for([
    ["mode", { mode: 0o600 }, true],
    ["owner", { uid: 1 }, true],
    ["group", { gid: 1 }, true],
    ["time", { mtimeNs: 8n * second + 5n }, true],
    ["a nanosecond", { mtimeNs: 7n * second + 6n }, true],
    ["a time that lost its fraction", { mtimeNs: 7n * second }, false],
    ["a user xattr", { xattrs: new Map([["user.x", Uint8Array.of(1)]]) }, false],
    ["a capability", { xattrs: new Map([["security.capability", Uint8Array.of(1)]]) }, true],
  ] as const)("a file's %s: differs is %s", ([, change, differs]) => {
    expect(diff([file("f")], [file("f", 1, change)])).toEqual(differs ? ["C /f"] : []);
  });

  test("a file's size counts, a directory's time does not", () => {
    expect(diff([file("f")], [file("f", 2)])).toEqual(["C /f"]);
    expect(diff([dir("d")], [dir("d", { mtimeNs: 0n })])).toEqual([]);
  });

  test("a device's number counts; a block device's time does not, as a bit of its type is a directory's", () => {
    expect(diff([dev("char", 0n)], [dev("char", second)])).toEqual(["C /dev"]);
    expect(diff([dev("block", 0n)], [dev("block", second)])).toEqual([]);
    expect(diff([dev("block", 0n)], [dev("block", 0n, 2)])).toEqual(["C /dev"]);
  });

  test("a symlink's target counts by its length and time", () => {
    const symlink = (target: string): TreeChange => ({ kind: "symlink", path: "s", meta, target });
    expect(diff([symlink("a")], [symlink("ab")])).toEqual(["C /s"]);
    expect(diff([symlink("a")], [symlink("b")])).toEqual([]);
  });

  test("are none when a layer repeats what is below", () => {
    const tree = treeOf(lower);
    expect(pathChanges(tree, apply(tree, [dir("d"), file("d/f")]))).toEqual([]);
  });

  test("before 1970 a second begins below its fraction", () => {
    const timed = (mtimeNs: bigint) => [file("f", 1, { mtimeNs })];
    expect(diff(timed(-second), timed(-second + 5n))).toEqual([]);
    expect(diff(timed(-5n), timed(0n))).toEqual(["C /f"]);
  });
});
