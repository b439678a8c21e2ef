import { describe, expect, test } from "vitest";
import { InvalidParameter } from "../spec/index.js";
import { archive, entry, type Handmade, long, parseLayer, pax } from "./handmade.test.kit.js";

const changes = (...entries: Handmade[]) =>
  parseLayer(archive(...entries.map(entry))).changes.map(({ kind, path }) => `${kind} ${path}`);

describe("entries of a layer", () => {
  test("become changes of each kind", () => {
    const bytes = archive(
      entry({ name: "d/", type: "5", mode: 0o1777 }),
      entry({ name: "d/f", body: "text", uid: 3 }),
      entry({ name: "d/l", type: "2", linkname: "../../anywhere" }),
      entry({ name: "d/h", type: "1", linkname: "./d//f" }),
      entry({ name: "d/c", type: "3", major: 1, minor: 3 }),
      entry({ name: "d/b", type: "4", major: 8 }),
      entry({ name: "d/p", type: "6" }),
    );
    const { changes, contents } = parseLayer(bytes);
    expect(changes).toMatchObject([
      { kind: "directory", path: "d", meta: { mode: 0o1777 } },
      { kind: "file", path: "d/f", size: 4, meta: { uid: 3 } },
      { kind: "symlink", path: "d/l", target: "../../anywhere" },
      { kind: "hardlink", path: "d/h", to: "d/f" },
      { kind: "char", path: "d/c", major: 1, minor: 3 },
      { kind: "block", path: "d/b", major: 8, minor: 0 },
      { kind: "fifo", path: "d/p" },
    ]);
    expect(contents.get("d/f")!.toString()).toBe("text");
  });

  test("have clean paths", () => {
    expect(changes({ name: "/abs" }, { name: "./dot//x/./y" }, { name: "dir///", type: "5" })).toEqual([
      "file abs",
      "file dot/x/y",
      "directory dir",
    ]);
  });

  test.for(["./", "/", ".", "//"])("named %j are the root directory", (name) => {
    expect(changes({ name, type: "5" })).toEqual(["directory "]);
  });

  test("named .wh. hide what they name, whatever their type", () => {
    expect(
      changes(
        { name: ".wh.top" },
        { name: "a/.wh.b", type: "6" },
        { name: "a/.wh..hidden" },
        { name: "a/.wh...." },
        { name: "a/b.wh.c" },
        { name: "a/.wh.d/", type: "5" },
      ),
    ).toEqual([
      "whiteout top",
      "whiteout a/b",
      "whiteout a/.hidden",
      "whiteout a/...",
      "file a/b.wh.c",
      "whiteout a/d",
    ]);
  });

  test("named .wh..wh..opq make their directory opaque", () => {
    expect(changes({ name: "a/.wh..wh..opq" }, { name: ".wh..wh..opq" })).toEqual(["opaque a", "opaque "]);
  });

  test("may have the longest names Linux takes", () => {
    const name = "é".repeat(127);
    expect(changes({ name: "x".repeat(100) })).toHaveLength(1);
    const deep = `${"d".repeat(255)}/`.repeat(15) + "e".repeat(255);
    const { changes: found } = parseLayer(archive(long("L", name), entry(), long("L", deep), entry()));
    expect(found.map(({ path }) => path)).toEqual([name, deep]);
  });
});

const refused: readonly (readonly [what: string, parts: Buffer[], message: RegExp])[] = [
  ["a name with ..", [entry({ name: "a/../b" })], /"a\/\.\.\/b": its name has "\.\." in it/],
  ["a name that climbs out", [entry({ name: "../../etc/passwd" })], /its name has "\.\."/],
  ["no name", [entry({ name: "" })], /it has no name/],
  ["a root that is a file", [entry({ name: "./" })], /the layer's root as a file/],
  ["a root that is a symlink", [entry({ name: "/", type: "2", linkname: "etc" })], /the layer's root as a symlink/],
  ["two entries of one name", [entry({ name: "x" }), entry({ name: "x" })], /"x": duplicates of file paths/],
  ["two spellings of one name", [entry({ name: "d/", type: "5" }), entry({ name: "./d" })], /duplicates of file paths/],
  ["a hard link that leaves the layer", [link("../../etc/passwd")], /hard link to "[^"]*": its name has "\.\."/],
  ["a hard link to nothing", [link("")], /hard link to "": it has no name/],
  ["a hard link to the root", [link("/")], /hard link to the layer's root/],
  ["a hard link to itself", [link("./l")], /hard link to itself/],
  ["a hard link to a whiteout", [link("a/.wh.b")], /hard link to the whiteout/],
  ["a symlink without target", [entry({ type: "2" })], /symlink without a target/],
  ["a target longer than Linux takes", [long("K", "t".repeat(4096)), entry({ type: "2" })], /target longer than 4095/],
  ["a name longer than Linux takes", [long("L", `a/${"n".repeat(256)}`), entry()], /a name in its path is longer/],
  ["a name of too many bytes", [long("L", "é".repeat(128)), entry()], /a name in its path is longer than 255/],
  ["a path longer than Linux takes", [long("L", `${"d/".repeat(2047)}ef`), entry()], /its name is longer than 4095/],
  ["overlay's whiteout device", [entry({ type: "3" })], /character device 0:0/],
  ["a device that cannot be", [entry({ type: "4", major: 4096 })], /no such device number: 4096:0/],
  ["overlay's opaque xattr", xattr("trusted.overlay.opaque", "y"), /"trusted\.overlay\.opaque" is overlay's own/],
  ["overlay's xattrs of users", xattr("user.overlay.redirect", "/etc"), /"user\.overlay\.redirect" is overlay's own/],
  ["a huge xattr", xattr("user.x", "x".repeat(65537)), /an xattr is longer than 65536/],
  ["a long name of an xattr", xattr(`user.${"x".repeat(251)}`, ""), /the name of an xattr is longer than 255/],
  ["a whiteout of nothing", [entry({ name: "a/.wh." })], /"a\/\.wh\.": invalid whiteout entry/],
  ["a whiteout of .", [entry({ name: ".wh.." })], /invalid whiteout entry/],
  ["a whiteout of ..", [entry({ name: ".wh..." })], /invalid whiteout entry/],
  ["a whiteout with content", [entry({ name: ".wh.a", body: "x" })], /whiteout with 1 bytes of content/],
  ["bookkeeping of aufs", [entry({ name: ".wh..wh.plnk", type: "5" })], /bookkeeping of aufs/],
  ["what lies in a whiteout", [entry({ name: ".wh.d/f" })], /lies in a directory named as a whiteout/],
  ["what lies deep in a whiteout", [entry({ name: "a/.wh.d/e/f" })], /lies in a directory named as a whiteout/],
];

function link(linkname: string): Buffer {
  return entry({ name: "l", type: "1", linkname });
}

function xattr(name: string, value: string): Buffer[] {
  return [pax([[`SCHILY.xattr.${name}`, value]]), entry()];
}

describe("a layer parser refuses", () => {
  test.for(refused)("%s", ([, parts, message]) => {
    const read = () => parseLayer(archive(...parts));
    expect(read).toThrow(InvalidParameter);
    expect(read).toThrow(/^archive entry ".*": [^\n]+$/);
    expect(read).toThrow(message);
  });
});

test("names in messages are one line, whatever they contain", () => {
  expect(() => parseLayer(archive(entry({ name: "a\nb\u001b[2J/../c" })))).toThrow(/^archive entry "a\\nb\\u001b\[2J/);
});
