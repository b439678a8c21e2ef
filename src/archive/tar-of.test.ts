import { spawnSync } from "node:child_process";
import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChangeHead, Meta, SyncChange } from "../overlayfs/index.js";
import { DataLoss, emptyDiffID, sha256 } from "../spec/index.js";
import { parse, parseLayer } from "./handmade.test.kit.js";
import { TarEncoder } from "./tar-encoder.js";
import { tarOf, tarOfSync } from "./tar-of.js";

const meta = (more: Partial<Meta> = {}): Meta => ({
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtimeNs: 1_700_000_000_999_999_999n,
  xattrs: new Map(),
  ...more,
});

const file = (path: string, content = "", more: Partial<Meta> = {}): SyncChange => ({
  kind: "file",
  path,
  meta: meta(more),
  size: Buffer.byteLength(content),
  body: [Buffer.from(content)],
});

const tarred = (...changes: SyncChange[]) => Buffer.concat([...tarOfSync(changes)]);

/** The text fields of the header at `at`, by offset; NULs cut. */
const text = (bytes: Buffer, at: number, field: number, length: number) =>
  bytes.toString("latin1", at + field, at + field + length).replace(/\0.*$/s, "");
const nameIn = (bytes: Buffer, at: number) => text(bytes, at, 0, 100);

describe("an archive as written", () => {
  test("of nothing is 1024 zero bytes, the empty layer", () => {
    expect(sha256(tarred())).toBe(emptyDiffID);
  });

  test("is ustar with type bits in the mode, seconds, and no owner names", () => {
    const bytes = tarred(file("a/b", "hi", { uid: 1000, gid: 100, mode: 0o4755 }));
    expect(bytes).toHaveLength(512 + 512 + 1024);
    const expected = Buffer.alloc(512);
    for (const [at, value] of [
      [0, "a/b"],
      [100, "0104755\0"],
      [108, "0001750\0"],
      [116, "0000144\0"],
      [124, "00000000002\0"],
      [136, "14524770400\0"],
      [148, "        "],
      [156, "0"],
      [257, "ustar\x0000"],
      [329, "0000000\0"],
      [337, "0000000\0"],
    ] as const) {
      expected.write(value, at, "latin1");
    }
    const sum = expected.reduce((total, byte) => total + byte, 0);
    expected.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    expect(bytes.subarray(0, 512).toString("latin1")).toBe(expected.toString("latin1"));
    expect(bytes.subarray(512).toString("latin1")).toBe(`hi${"\0".repeat(510 + 1024)}`);
  });

  test.for([
    ["p", "0", "0100644", { kind: "file", path: "p", meta: meta(), size: 0 }],
    ["p/", "5", "0041777", { kind: "directory", path: "p", meta: meta({ mode: 0o1777 }) }],
    ["./", "5", "0040755", { kind: "directory", path: "", meta: meta({ mode: 0o755 }) }],
    ["p", "2", "0120777", { kind: "symlink", path: "p", meta: meta({ mode: 0o777 }), target: "t" }],
    ["p", "1", "0100644", { kind: "hardlink", path: "p", meta: meta(), to: "t" }],
    ["p", "3", "0020644", { kind: "char", path: "p", meta: meta(), major: 1, minor: 3 }],
    ["p", "4", "0060644", { kind: "block", path: "p", meta: meta(), major: 1, minor: 3 }],
    ["p", "6", "0010644", { kind: "fifo", path: "p", meta: meta() }],
    ["d/.wh.p", "0", "0000600", { kind: "whiteout", path: "d/p", meta: meta({ mode: 0 }) }],
    [".wh.p", "0", "0000600", { kind: "whiteout", path: "p" }],
    ["d/.wh..wh..opq", "0", "0000750", { kind: "opaque", path: "d", meta: meta({ mode: 0o1750 }) }],
    [".wh..wh..opq", "0", "0000755", { kind: "opaque", path: "", meta: meta({ mode: 0o755 }) }],
  ] as const)("has name %s, type %s, mode %s", ([name, type, mode, head]) => {
    const bytes = tarred({ body: [], ...(head as ChangeHead) } as SyncChange);
    expect([nameIn(bytes, 0), text(bytes, 0, 156, 1), text(bytes, 0, 100, 8)]).toEqual([name, type, mode]);
    expect(text(bytes, 0, 157, 100)).toBe("target" in head || "to" in head ? "t" : "");
    expect(text(bytes, 0, 136, 12)).toBe(head.kind === "opaque" || !("meta" in head) ? "00000000000" : "14524770400");
  });

  test("splits long names at the last slash that leaves 155 and 100 bytes", () => {
    const [dir, base] = ["d".repeat(155), "b".repeat(100)];
    const bytes = tarred(file(`${dir}/${base}`));
    expect([nameIn(bytes, 0), text(bytes, 0, 345, 155)]).toEqual([base, dir]);
    const deep = tarred({ kind: "directory", path: `${"x/".repeat(60)}last`, meta: meta() });
    expect([nameIn(deep, 0), text(deep, 0, 345, 155)]).toEqual(["last/", `${"x/".repeat(59)}x`]);
  });

  test("has a PAX header for names that cannot be split, named as Go names it", () => {
    const path = `dir/${"b".repeat(101)}`;
    const bytes = tarred(file(path));
    expect(nameIn(bytes, 0)).toBe(`dir/PaxHeaders.0/${"b".repeat(83)}`);
    expect(text(bytes, 0, 156, 1)).toBe("x");
    expect(text(bytes, 0, 100, 8) + text(bytes, 0, 136, 12)).toBe("000000000000000000");
    expect(bytes.subarray(329, 345).every((byte) => byte === 0)).toBe(true);
    expect(bytes.toString("latin1", 512, 512 + 115)).toBe(`115 path=${path}\n`);
    expect(nameIn(bytes, 1024)).toBe(path.slice(0, 100));
  });

  test("drops from the short name what is not ASCII, and puts the bytes into the PAX one", () => {
    const bytes = tarred({ kind: "symlink", path: "dé/caf\udce9", meta: meta(), target: "ü" });
    expect(nameIn(bytes, 0)).toBe("d/PaxHeaders.0/caf");
    expect(bytes.toString("latin1", 512, 1024).replace(/\0+$/, "")).toBe(
      "15 linkpath=\u00c3\u00bc\n17 path=d\u00c3\u00a9/caf\u00e9\n",
    );
    expect([nameIn(bytes, 1024), text(bytes, 1024, 157, 100)]).toEqual(["d/caf", ""]);
  });

  test("has PAX records, sorted, for what no octal field holds", () => {
    const change: SyncChange = {
      kind: "directory",
      path: "d",
      meta: meta({ uid: 2097152, gid: 4294967294, mtimeNs: -1n, xattrs: new Map([["user.x", Buffer.from("no")]]) }),
    };
    const bytes = tarred(change);
    expect(nameIn(bytes, 0)).toBe("d/PaxHeaders.0");
    expect(bytes.toString("latin1", 512, 1024).replace(/\0+$/, "")).toBe(
      "18 gid=4294967294\n12 mtime=-1\n15 uid=2097152\n",
    );
    expect(text(bytes, 1024, 108, 8) + text(bytes, 1024, 136, 12)).toBe("000000000000000000");
  });

  test("has the size of a huge file in a PAX record", () => {
    const head = new TarEncoder().head({ kind: "file", path: "big", meta: meta(), size: 2 ** 33 });
    expect(head.toString("latin1", 512, 532)).toBe("19 size=8589934592\n\0");
    expect(text(head, 1024, 124, 12)).toBe("00000000000");
    expect(new TarEncoder().head({ kind: "file", path: "big", meta: meta(), size: 2 ** 33 - 1 })).toHaveLength(512);
  });

  test("keeps capabilities, in the revision that names no user namespace", () => {
    const capability = (revision: number, length: number) => {
      const value = Buffer.alloc(length, 7);
      value.writeUInt32LE((revision << 24) | 1, 0);
      return new Map([["security.capability", value]]);
    };
    const written = (xattrs: Map<string, Buffer>) =>
      parse(tarred(file("f", "x", { xattrs }))).members[0]!.meta.xattrs.get("security.capability");
    expect(Buffer.from(written(capability(2, 20))!)).toEqual(capability(2, 20).get("security.capability"));
    expect(Buffer.from(written(capability(3, 24))!)).toEqual(capability(2, 20).get("security.capability"));
  });

  test("is the same from both forms", async () => {
    const changes = [
      file("a", "1".repeat(200_000)),
      file("b"),
      file("c", "2"),
      { kind: "whiteout", path: "w" } as const,
    ];
    const pieces: Uint8Array[] = [];
    for await (const piece of tarOf(changes)) pieces.push(piece);
    expect(Buffer.concat(pieces).equals(tarred(...changes))).toBe(true);
    expect(pieces.length).toBeLessThan(5);
  });

  test("cuts a file that grew, and stops at one that shrank", async () => {
    const grown = { ...file("log", "12345"), size: 3 } as SyncChange;
    expect(parse(tarred(grown, file("next"))).contents.map(String)).toEqual(["123", ""]);
    const shrunk = { ...file("log", "12345"), size: 9 } as SyncChange;
    expect(() => tarred(shrunk)).toThrow(DataLoss);
    expect(() => tarred(shrunk)).toThrow('file "log" ended after 5 of 9 bytes: it shrank');
    const run = async () => {
      for await (const _ of tarOf([shrunk]));
    };
    await expect(run()).rejects.toThrow("it shrank");
  });
});

const anyName = fc.string({
  unit: fc.constantFrom("a", "b/b", "é", "\udcff", " ", "x".repeat(25)),
  minLength: 1,
  maxLength: 9,
});
const anyChange = fc
  .record({
    kind: fc.constantFrom("file", "directory", "fifo", "symlink", "hardlink", "char", "block", "whiteout", "opaque"),
    name: anyName,
    mode: fc.nat(0o7777),
    uid: fc.oneof(fc.nat(5000), fc.nat(0xfffffffe)),
    gid: fc.oneof(fc.nat(5000), fc.nat(0xfffffffe)),
    seconds: fc.oneof(fc.bigInt(-9000n, 9000n), fc.bigInt(-(2n ** 40n), 2n ** 40n)),
    content: fc.uint8Array({ maxLength: 1100 }),
    target: anyName,
    major: fc.integer({ min: 1, max: 4095 }),
  })
  .map(({ kind, name, mode, uid, gid, seconds, content, target, major }): SyncChange => {
    const common = { path: name, meta: meta({ mode, uid, gid, mtimeNs: seconds * 1_000_000_000n }) };
    if (kind === "file") return { kind, ...common, size: content.length, body: [content] };
    if (kind === "symlink") return { kind, ...common, target };
    if (kind === "hardlink") return { kind, ...common, to: target };
    if (kind === "char" || kind === "block") return { kind, ...common, major, minor: 9 };
    return { kind, ...common } as SyncChange;
  });

test("changes written and read again are the same changes", () => {
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 9 }), (list) => {
      const changes = list.map((change, i): SyncChange => {
        const path = `${i}/${change.path}`;
        return change.kind === "hardlink" ? { ...change, path, to: `t/${change.to}` } : { ...change, path };
      });
      const { changes: found, contents } = parseLayer(tarred(...changes));
      const expected = changes.map((change) => {
        if (change.kind === "whiteout") return { ...change, meta: { ...change.meta, mode: 0o600 } };
        if (change.kind === "opaque")
          return { ...change, meta: { ...change.meta, mode: change.meta!.mode & 0o777, mtimeNs: 0n } };
        if (change.kind !== "file") return change;
        const { body, ...head } = change;
        expect(Buffer.concat([...body]).equals(contents.get(change.path)!)).toBe(true);
        return head;
      });
      expect(found).toEqual(expected);
    }),
  );
});

const canExtract = spawnSync("tar", ["--version"]).status === 0 && process.getuid?.() === 0;
if (!canExtract) console.log("skipped here: no tar, or not root");

describe.runIf(canExtract)("GNU tar", () => {
  test("extracts what we write: kinds, modes, owners, times, contents, names of any bytes", () => {
    const dir = mkdtempSync(join(tmpdir(), "layerkit-tar-"));
    try {
      const deep = `${"d".repeat(120)}/${"e".repeat(120)}`;
      const capability = new Map([
        ["security.capability", Buffer.from("0100000200200000000000000000000000000000", "hex")],
      ]);
      const changes: SyncChange[] = [
        { kind: "directory", path: "d", meta: meta({ mode: 0o3750, uid: 3_000_000_000, gid: 5 }) },
        file("d/plain", "content", { mode: 0o4711, uid: 7, gid: 2_097_152 }),
        file("d/ünï\udcff", "bytes", { mtimeNs: -5_000_000_000n }),
        file(`d/${"n".repeat(200)}`, "long", { mtimeNs: 10_000_000_000_000_000_000n }),
        { kind: "hardlink", path: "d/hard", meta: meta({ mode: 0o4711, uid: 7, gid: 2_097_152 }), to: "d/plain" },
        { kind: "symlink", path: "d/soft", meta: meta({ mode: 0o777 }), target: `../${"t".repeat(150)}` },
        { kind: "char", path: "d/null", meta: meta({ mode: 0o666 }), major: 1, minor: 3 },
        { kind: "fifo", path: "d/fifo", meta: meta({ mode: 0o600 }) },
        file(`${deep}/f`, "x".repeat(100_000), { xattrs: capability }),
      ];
      writeFileSync(`${dir}/a.tar`, tarred(...changes));
      const args = [
        "-xpf",
        `${dir}/a.tar`,
        "-C",
        dir,
        "--xattrs",
        "--xattrs-include=*",
        "--numeric-owner",
        "--warning=no-timestamp",
      ];
      const { stderr, status } = spawnSync("tar", args, { encoding: "utf8" });
      expect([stderr, status]).toEqual(["", 0]);
      for (const change of changes) expectExtracted(dir, change);
      expect(lstatSync(`${dir}/d/hard`).ino).toBe(lstatSync(`${dir}/d/plain`).ino);
      const { stdout } = spawnSync("getfattr", ["-n", "security.capability", "-e", "hex", `${dir}/${deep}/f`]);
      expect(String(stdout)).toContain("0x0100000200200000000000000000000000000000");
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

function expectExtracted(dir: string, change: SyncChange): void {
  const path = Buffer.from(`${dir}/${change.path}`, "utf8");
  const at = change.path.isWellFormed() ? path : Buffer.concat([Buffer.from(`${dir}/d/ünï`), Buffer.of(0xff)]);
  const stat = lstatSync(at, { bigint: true });
  const { mode, uid, gid, mtimeNs } = change.meta!;
  const seconds = (mtimeNs - (((mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n)) / 1_000_000_000n;
  expect([stat.mode & 0o7777n, stat.uid, stat.gid], change.path).toEqual([BigInt(mode), BigInt(uid), BigInt(gid)]);
  expect(stat.mtimeNs / 1_000_000_000n, change.path).toBe(seconds);
  if (change.kind === "file") expect(readFileSync(at)).toEqual(Buffer.concat([...change.body]));
  if (change.kind === "symlink") expect(readlinkSync(at)).toBe(change.target);
  if (change.kind === "char") expect([stat.isCharacterDevice(), stat.rdev]).toEqual([true, 0x103n]);
  if (change.kind === "fifo") expect(stat.isFIFO()).toBe(true);
}
