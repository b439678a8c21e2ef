import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cleanPath, decodeName, encodeName } from "../spec/index.js";
import { archive, base256, end, entry, long, parse, parseLayer, pax, reassemble } from "./handmade.test.kit.js";

function has(program: string): boolean {
  const isThere = spawnSync(program, ["--version"]).status === 0;
  if (!isThere) console.log(`skipped here: no ${program}`);
  return isThere;
}

const isRoot = process.getuid?.() === 0;
const billion = 1_000_000_000n;
const long120 = "n".repeat(120);

/** A tree with everything a tar has to carry. */
function makeTree(root: string): void {
  const at = (name: string) => Buffer.concat([Buffer.from(`${root}/`), encodeName(name)]);
  mkdirSync(at("dir/sub"), { recursive: true });
  mkdirSync(at(`deep/${"d".repeat(90)}/${"e".repeat(90)}/${"f".repeat(90)}`), { recursive: true });
  for (const size of [0, 1, 511, 512, 513, 1024, 70_000]) writeFileSync(at(`dir/${size}`), Buffer.alloc(size, size));
  for (const name of [long120, "späce and ünïcode", "caf\udce9\udcff", "new\nline", "quote\"'\\"])
    writeFileSync(at(name), name);
  writeFileSync(at(`deep/${"d".repeat(90)}/${"e".repeat(90)}/${"f".repeat(90)}/file`), "deep");
  linkSync(at("dir/513"), at("hard"));
  linkSync(at(long120), at("dir/hard to long"));
  symlinkSync("../nowhere", at("dir/soft"));
  symlinkSync("/t".repeat(120), at(`soft to ${long120}`)); // its name too is one that short formats leave out
  chmodSync(at("dir/1"), 0o4711);
  chmodSync(at("dir/sub"), 0o1777);
  utimesSync(at("dir/0"), 5, -86_400.5);
  utimesSync(at("dir/1"), 5, 20_000_000_000);
  lutimesSync(at("dir/soft"), 7, 7.25);
  spawnSync("mkfifo", [`${root}/fifo`]);
  spawnSync("setfattr", ["-n", "user.note", "-v", "0x00ff0a3d", `${root}/dir/1`]);
  if (!isRoot) return;
  chownSync(at("dir/511"), 3_000_000_000, 2_097_152);
  spawnSync("mknod", [`${root}/null`, "c", "1", "3"]);
  spawnSync("mknod", [`${root}/loop`, "b", "7", "300"]);
}

/** What the kernel says of a member's file, in a member's words. */
function lstatOf(root: string, name: string, nanoseconds: boolean): Record<string, unknown> {
  const path = Buffer.concat([Buffer.from(`${root}/`), encodeName(cleanPath(name))]);
  const stat = lstatSync(path, { bigint: true });
  const kind = stat.isFile()
    ? "file"
    : stat.isDirectory()
      ? "directory"
      : stat.isSymbolicLink()
        ? "symlink"
        : undefined;
  const rdev = stat.isCharacterDevice() || stat.isBlockDevice() ? Number(stat.rdev) : 0;
  return {
    kind: kind ?? (stat.isFIFO() ? "fifo" : stat.isCharacterDevice() ? "char" : "block"),
    linkname: stat.isSymbolicLink() ? decodeName(readlinkSync(path, { encoding: "buffer" })) : "",
    content: stat.isFile() ? readFileSync(path) : Buffer.alloc(0),
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtimeNs: nanoseconds ? stat.mtimeNs : stat.mtimeNs - (((stat.mtimeNs % billion) + billion) % billion),
    major: (rdev >> 8) & 0xfff,
    minor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00),
  };
}

let root = "";
let tree = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "layerkit-tar-"));
  tree = join(root, "tree");
  mkdirSync(tree);
  makeTree(tree);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Runs an archiver over the tree. What its format cannot hold it leaves out, and says so by its status. */
function made(program: string, args: readonly string[]): Buffer {
  const { stdout, stderr } = spawnSync(program, args, { cwd: tree, maxBuffer: 1 << 28 });
  expect(stdout.length, String(stderr)).toBeGreaterThan(10_000);
  return stdout;
}

function expectRoundTrip(bytes: Buffer): void {
  for (const length of [bytes.length, 65_536, 1000]) {
    expect(reassemble(parseLayer(bytes, length)).equals(bytes), `in pieces of ${length}`).toBe(true);
  }
}

const formats = ["v7", "oldgnu", "gnu", "ustar", "posix"] as const;

describe.runIf(has("tar"))("an archive of GNU tar", () => {
  const tarred = (format: string) =>
    made("tar", ["-c", `--format=${format}`, ...(format === "posix" ? ["--xattrs"] : []), "-f", "-", "."]);

  test.for(formats)("of format %s comes out byte for byte", (format) => expectRoundTrip(tarred(format)));

  test.for(formats)("of format %s says what the kernel says of every file", (format) => {
    const { members, contents } = parse(tarred(format));
    expect(members.length).toBeGreaterThan(15);
    for (const [i, { kind, name, linkname, meta, major, minor }] of members.entries()) {
      const { mode, uid, gid, mtimeNs } = meta;
      const found = { kind, linkname, content: contents[i], mode, uid, gid, mtimeNs, major, minor };
      const actual = lstatOf(tree, name, format === "posix");
      if (kind === "hardlink") expect(lstatOf(tree, linkname, format === "posix"), name).toEqual(actual);
      else expect(found, name).toEqual(actual);
    }
  });

  test("of format posix carries xattrs as bytes", () => {
    const member = parse(tarred("posix")).members.find(({ name }) => name === "./dir/1")!;
    expect([...member.meta.xattrs.get("user.note")!]).toEqual([0x00, 0xff, 0x0a, 0x3d]);
  });

  test("with sparse files is refused, naming the file", () => {
    spawnSync("truncate", ["-s", "10M", `${root}/holes`]);
    for (const [format, version] of [
      ["gnu", "1.0"],
      ["posix", "0.0"],
      ["posix", "0.1"],
      ["posix", "1.0"],
    ] as const) {
      const args = ["-cS", `--format=${format}`, `--sparse-version=${version}`, "-f", "-", "-C", root, "holes"];
      const { stdout } = spawnSync("tar", args, { maxBuffer: 1 << 28 });
      expect(() => parseLayer(stdout)).toThrow(/holes": sparse file/);
    }
  });
});

describe.runIf(has("bsdtar"))("an archive of bsdtar", () => {
  test.for(["ustar", "pax", "gnutar", "v7"])("of format %s comes out byte for byte", (format) =>
    expectRoundTrip(made("bsdtar", ["-c", "--format", format, "-f", "-", "."])),
  );
});

describe.runIf(has("python3"))("an archive of Python's tarfile", () => {
  const script = `
import sys, tarfile
tar = tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=int(sys.argv[1]), encoding="utf-8", errors="surrogateescape",
  pax_headers={"comment": "global"} if sys.argv[1] == "2" else None)
tar.add(".")
tar.close()`;
  test.for(["0", "1", "2"])("of format %s comes out byte for byte", (format) => {
    // ustar takes no negative times, nor large ones; Python stops at them.
    const only =
      format === "0"
        ? script.replace('tar.add(".")', 'tar.add("dir/sub"); tar.add("dir/513"); tar.add("hard")')
        : script;
    expectRoundTrip(made("python3", ["-c", only, format]));
  });
});

/** Any archive we take: members of every format, tricks of padding, and every way to end. */
const anyArchive = fc
  .tuple(
    fc.array(
      fc.record({
        form: fc.constantFrom(
          "ustar",
          "v7",
          "gnu",
          "pax",
          "long",
          "base256",
          "global",
          "directory",
          "symlink",
          "whiteout",
        ),
        size: fc.oneof(fc.nat(3), fc.constantFrom(511, 512, 513, 1024), fc.nat(5000)),
        padding: fc.constantFrom(0, 0, 0xff),
        name: fc.string({
          unit: fc.constantFrom("a", "é", "\udcff", '"', "<", "\n", "\u2028"),
          minLength: 1,
          maxLength: 8,
        }),
      }),
      { maxLength: 12 },
    ),
    fc.constantFrom(0, 512, 1024, 2048, 10240, 1024 + 100),
    fc.uint8Array({ maxLength: 900 }),
  )
  .map(([members, zeros, garbage]) => {
    const parts = members.map(({ form, size, padding, name }, i) => {
      const named = `${i}${name}`;
      const body = Buffer.alloc(size, named);
      if (form === "v7") return entry({ name: named, body, padding, magic: "", type: "\0" });
      if (form === "gnu") return entry({ name: named, body, padding, magic: "ustar  \0" });
      if (form === "pax") return Buffer.concat([pax([["path", encodeName(`./p/${named}`)]]), entry({ body, padding })]);
      if (form === "long") return Buffer.concat([long("L", `${named}/${"l".repeat(150)}`), entry({ body, padding })]);
      if (form === "base256") {
        return entry({ name: named, body, padding, patch: (block) => base256(block, 124, 12, BigInt(size)) });
      }
      if (form === "global") return pax([["comment", named.slice(0, 1)]], "g");
      if (form === "directory") return entry({ name: `./${named}//`, type: "5", size });
      if (form === "symlink") return entry({ name: named, type: "2", linkname: name, size });
      if (form === "whiteout") return entry({ name: `w${i}/.wh.${i}${name}` });
      return entry({ name: named, body, padding });
    });
    return Buffer.concat([...parts, Buffer.alloc(zeros), zeros >= 1024 ? garbage : Buffer.alloc(0)]);
  });

/** Rebuilds from tar-split the plain way, sharing no code with the product. */
function naively(split: Buffer, contents: ReadonlyMap<string, Buffer>): Buffer {
  const records = split
    .toString()
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  expect(records.map(({ position }) => position)).toEqual(records.map((_, i) => i));
  const parts = records.map(({ type, name, name_raw, size, payload }): Uint8Array => {
    if (type === 2) return Buffer.from(payload, "base64");
    const path = name ?? decodeName(Buffer.from(name_raw, "base64"));
    return size ? contents.get(cleanPath(path))! : Buffer.alloc(0);
  });
  return Buffer.concat(parts);
}

describe("any archive we take", () => {
  test("comes out byte for byte, whatever the pieces it came in", () => {
    fc.assert(
      fc.property(anyArchive, fc.integer({ min: 1, max: 3000 }), (bytes, length) => {
        const layer = parseLayer(bytes, length);
        expect(reassemble(layer).equals(bytes)).toBe(true);
        expect(naively(layer.split, layer.contents).equals(bytes)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test("comes out byte for byte when cut at every single offset", () => {
    const bytes = Buffer.concat([
      archive(pax([["path", "x/y"]]), entry({ body: "abc", padding: 1 }), long("L", "z"), entry({ body: "d" })),
      Buffer.from("tail"),
    ]);
    for (let length = 1; length <= 520; length++)
      expect(reassemble(parseLayer(bytes, length)).equals(bytes)).toBe(true);
  });

  test.for([
    ["no end", Buffer.alloc(0)],
    ["one zero block", end.subarray(512)],
    ["end blocks and a huge tail", Buffer.concat([end, Buffer.alloc(3 << 20, "junk")])],
  ] as const)("may have %s", ([, tail]) => {
    const bytes = Buffer.concat([entry({ body: "x" }), tail]);
    expect(reassemble(parseLayer(bytes)).equals(bytes)).toBe(true);
  });
});
