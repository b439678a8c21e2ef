import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidParameter } from "../spec/index.js";
import { archive, base256, end, entry, long, parse, pax } from "./handmade.test.kit.js";
import { TarParser } from "./tar-parser.js";

const only = (...parts: Buffer[]) => parse(archive(...parts)).members[0]!;

describe("a member's header", () => {
  test("of ustar gives kind, name, owner, time and content", () => {
    const bytes = archive(entry({ name: "dir/file", mode: 0o104755, uid: 1000, gid: 100, mtime: 12, body: "hello" }));
    const { members, contents } = parse(bytes);
    expect(members).toMatchObject([
      {
        kind: "file",
        name: "dir/file",
        meta: { mode: 0o4755, uid: 1000, gid: 100, mtimeNs: 12_000_000_000n },
        size: 5,
        offset: 512,
      },
    ]);
    expect(contents[0]!.toString()).toBe("hello");
  });

  test.for([
    ["0", "file"],
    ["7", "file"],
    ["\0", "file"],
    ["1", "hardlink"],
    ["2", "symlink"],
    ["3", "char"],
    ["4", "block"],
    ["5", "directory"],
    ["6", "fifo"],
  ])("of type %j is a %s", ([type, kind]) => {
    expect(only(entry({ type: type!, linkname: "x" })).kind).toBe(kind);
  });

  test("of v7 is a directory when its name ends in a slash", () => {
    expect(only(entry({ name: "old/", type: "\0", magic: "" })).kind).toBe("directory");
    expect(only(entry({ name: "new/", type: "0" })).kind).toBe("file");
  });

  test("joins the prefix of ustar, and not what GNU has in its place", () => {
    expect(only(entry({ name: "b", prefix: "a" })).name).toBe("a/b");
    const atime = (block: Buffer) => block.write("14500000000", 345, "latin1");
    expect(only(entry({ name: "b", magic: "ustar  \0", patch: atime })).name).toBe("b");
  });

  test("of star has a prefix of 131 bytes, then times", () => {
    const star = (block: Buffer) => {
      block.write("14500000000 14500000000 ", 476, "latin1");
      block.write("tar\0", 508, "latin1");
    };
    expect(only(entry({ name: "b", prefix: `a/${"p".repeat(129)}`, patch: star })).name).toBe(`a/${"p".repeat(129)}/b`);
  });

  test("takes a prefix in a GNU header for one, as Go before 1.8 wrote it", () => {
    expect(only(entry({ name: "b", magic: "ustar  \0", prefix: "usr/share" })).name).toBe("usr/share/b");
  });

  test("keeps names that are not UTF-8", () => {
    expect(only(entry({ name: "caf\udce9" })).name).toBe("caf\udce9");
    expect(only(entry({ name: "café" })).name).toBe("café");
  });

  test("has device numbers only for devices", () => {
    expect(only(entry({ type: "3", major: 5, minor: 1 }))).toMatchObject({ major: 5, minor: 1 });
    expect(only(entry({ type: "0", major: 5, minor: 1 }))).toMatchObject({ major: 0, minor: 0 });
  });

  test("reads numbers in base-256, negative ones too", () => {
    const patch = (block: Buffer) => {
      base256(block, 108, 8, 4_000_000_000n);
      base256(block, 136, 12, -5n);
    };
    expect(only(entry({ patch })).meta).toMatchObject({ uid: 4_000_000_000, mtimeNs: -5_000_000_000n });
  });

  test("reads numbers with blanks before and after, and empty ones", () => {
    const patch = (block: Buffer) => {
      block.write("   755 \0", 100, "latin1");
      block.fill(0, 108, 124);
    };
    expect(only(entry({ patch })).meta).toMatchObject({ mode: 0o755, uid: 0, gid: 0 });
  });

  test("may have its checksum over signed bytes", () => {
    expect(only(entry({ name: "é", checksum: "signed" })).name).toBe("é");
  });

  test("of a link or directory has no content, whatever its size says", () => {
    const bytes = archive(entry({ name: "d", type: "5", size: 4096 }), entry({ name: "f", body: "x" }));
    expect(parse(bytes).members.map(({ name, size }) => [name, size])).toEqual([
      ["d", 0],
      ["f", 1],
    ]);
  });
});

describe("an extended header", () => {
  test("of PAX gives path, owner, time to the nanosecond and xattrs as bytes", () => {
    const records = pax([
      ["path", "long/näme"],
      ["uid", "3000000000"],
      ["gid", "7"],
      ["mtime", "1700000000.123456789"],
      ["SCHILY.xattr.user.x", Uint8Array.of(0, 0xff, 0x0a, 0x3d)],
      ["SCHILY.xattr.user.empty", ""],
      ["comment", "ignored"],
    ]);
    const member = only(records, entry({ name: "short" }));
    expect(member).toMatchObject({
      name: "long/näme",
      meta: { uid: 3_000_000_000, gid: 7, mtimeNs: 1_700_000_000_123_456_789n },
    });
    expect([...member.meta.xattrs].map(([name, value]) => [name, [...value]])).toEqual([
      ["user.x", [0, 255, 10, 61]],
      ["user.empty", []],
    ]);
  });

  test("of PAX has times before 1970 and cuts what is below a nanosecond", () => {
    expect(only(pax([["mtime", "-1.5"]]), entry()).meta.mtimeNs).toBe(-1_500_000_000n);
    expect(only(pax([["mtime", "3.1234567899"]]), entry()).meta.mtimeNs).toBe(3_123_456_789n);
  });

  test("of PAX has the size that counts", () => {
    const { contents } = parse(archive(pax([["size", "3"]]), entry({ body: "abc", size: 0 }), entry({ name: "next" })));
    expect(contents.map(String)).toEqual(["abc", ""]);
  });

  test("of PAX holds for one member, and an empty value takes a record back", () => {
    const { members } = parse(archive(pax([["path", "a"]]), entry({ name: "x" }), entry({ name: "b" })));
    expect(members.map(({ name }) => name)).toEqual(["a", "b"]);
    const taken = pax([
      ["path", "a"],
      ["path", ""],
    ]);
    expect(only(taken, entry({ name: "own" })).name).toBe("own");
  });

  test("for all that follows is ignored, as Docker does", () => {
    const bytes = archive(pax([["mtime", "5"]], "g"), entry({ mtime: 7 }), pax([["comment", "x"]], "g"));
    expect(parse(bytes).members.map(({ meta }) => meta.mtimeNs)).toEqual([7_000_000_000n]);
  });

  test("of GNU gives long names and link targets", () => {
    const [name, target] = ["n/".repeat(150), "t/".repeat(150)];
    const member = only(long("K", target), long("L", name), entry({ name: "cut", type: "2", linkname: "cut" }));
    expect(member).toMatchObject({ name, linkname: target });
  });
});

describe("the end of an archive", () => {
  test.for([
    ["two zero blocks", end],
    ["one zero block", end.subarray(512)],
    ["nothing", Buffer.alloc(0)],
    ["zeros to a full record", Buffer.alloc(10240)],
    ["garbage behind two zero blocks", Buffer.concat([end, Buffer.from("garbage".repeat(300))])],
  ] as const)("may be %s", ([, tail]) => {
    const bytes = Buffer.concat([entry({ body: "x".repeat(600) }), tail]);
    expect(parse(bytes).members).toHaveLength(1);
  });

  test("may come inside the padding of the last file", () => {
    for (const kept of [0, 1, 100])
      expect(parse(entry({ body: "abc" }).subarray(0, 515 + kept)).contents).toHaveLength(1);
  });

  test("may be all there is", () => {
    expect(parse(Buffer.alloc(0)).members).toEqual([]);
    expect(parse(end).members).toEqual([]);
  });

  test("anywhere else is refused", () => {
    const bytes = Buffer.concat([pax([["path", "n"]]), entry({ name: "f", body: "b".repeat(700) })]);
    const whole = [0, 1024 + 512 + 700];
    for (let length = 0; length < bytes.length; length++) {
      const read = () => parse(bytes.subarray(0, length));
      if (length === 0 || length >= whole[1]!) read();
      else expect(read, `${length} bytes`).toThrow(/^[^\n]*truncated[^\n]*$/);
    }
  });
});

const refused: readonly (readonly [what: string, bytes: Buffer, message: RegExp])[] = [
  ["no tar at all", Buffer.alloc(600, "x"), /damaged: not a tar header: wrong checksum at byte 0/],
  ["a wrong checksum", archive(entry({ name: "a" }), entry({ checksum: "wrong" })), /at byte 512, after entry "a"/],
  ["an entry behind a zero block", Buffer.concat([end.subarray(512), entry()]), /an entry after a zero block/],
  ["GNU sparse files", archive(entry({ type: "S" })), /"file": sparse file/],
  ["PAX sparse files", archive(pax([["GNU.sparse.major", "1"]]), entry()), /"file": sparse file/],
  ["volume labels", archive(entry({ type: "V" })), /GNU volume label/],
  ["unknown types", archive(entry({ type: "Z" })), /unknown entry type "Z"/],
  ["a size that is no number", archive(entry({ patch: (b) => b.write("12x", 124) })), /size is not a number/],
  ["a negative size", archive(entry({ patch: (b) => base256(b, 124, 12, -1n) })), /size is not a number/],
  ["a size beyond 2^53", archive(entry({ patch: (b) => base256(b, 124, 12, 1n << 53n) })), /size is not a number/],
  ["the owner nobody can be", archive(entry({ patch: (b) => base256(b, 108, 8, 0xffffffffn) })), /owner is not/],
  ["a negative owner", archive(entry({ patch: (b) => base256(b, 116, 8, -2n) })), /owner is not/],
  ["a mode that is no number", archive(entry({ patch: (b) => b.write("rwxr", 100) })), /mode is not/],
  ["a time that is no number", archive(entry({ patch: (b) => b.write("never", 136) })), /time is not/],
  ["a PAX size that is no number", archive(pax([["size", "1e3"]]), entry()), /PAX record size/],
  ["a PAX size beyond 2^53", archive(pax([["size", "9007199254740993"]]), entry()), /PAX record size/],
  ["a negative PAX owner", archive(pax([["uid", "-1"]]), entry()), /PAX record uid/],
  ["a PAX time that is none", archive(pax([["mtime", "noon"]]), entry()), /PAX record mtime/],
  ["a PAX path with a NUL", archive(pax([["path", "a\0b"]]), entry()), /PAX record path contains a NUL/],
  ["a PAX record that lies about its length", paxOf("99 path=x\n"), /malformed PAX record/],
  ["a PAX record without length", paxOf("path=x\n"), /malformed PAX record/],
  ["a PAX record without key", paxOf("5 =x\n"), /malformed PAX record/],
  ["a PAX record that ends without a newline", paxOf("8 path=xx"), /malformed PAX record/],
  ["an xattr without a name", archive(pax([["SCHILY.xattr.", "x"]]), entry()), /xattr without a usable name/],
  ["two extended headers for one entry", archive(pax([]), pax([]), entry()), /two extended headers/],
  ["a huge extended header", entry({ type: "x", size: 2 ** 31 }), /extended header of 2147483648 bytes/],
  ["a huge long name", entry({ type: "L", size: 2 ** 21 }), /extended header of 2097152 bytes/],
];

function paxOf(body: string): Buffer {
  return archive(entry({ type: "x", body }), entry());
}

describe("a tar parser refuses", () => {
  test.for(refused)("%s", ([, bytes, message]) => {
    expect(() => parse(bytes)).toThrow(InvalidParameter);
    expect(() => parse(bytes)).toThrow(message);
  });
});

describe("whatever the pieces an archive comes in", () => {
  const bytes = archive(
    pax([["path", "p".repeat(700)]]),
    entry({ body: "one" }),
    long("L", "l".repeat(300)),
    entry({ body: "x".repeat(1024), padding: 0xff }),
    pax([["comment", "c"]], "g"),
    entry({ name: "d/", type: "5" }),
    entry({ body: Buffer.alloc(1500, "y") }),
  );
  const garbage = Buffer.concat([bytes, Buffer.alloc(777, "z")]);

  test("the members are the same, and each byte is handed out once", () => {
    const whole = parse(garbage);
    expect(whole.members.map(({ size }) => size)).toEqual([3, 1024, 0, 1500]);
    for (let length = 1; length < 1100; length += length < 9 ? 1 : 67) {
      expect(parse(garbage, length), `pieces of ${length}`).toEqual(whole);
    }
    expect(whole.all.equals(garbage)).toBe(true);
  });

  test("`offset` is where the content lies", () => {
    for (const { offset, size, kind } of parse(garbage, 100).members) {
      if (kind === "file") expect(new Set(garbage.subarray(offset, offset + size)).size).toBeLessThan(4);
    }
    const { members, contents } = parse(garbage);
    expect(members.map(({ offset, size }) => garbage.subarray(offset, offset + size))).toEqual(contents);
  });
});

test("an archive of a terabyte that lies about a file is read in bounded memory", () => {
  let seen = 0;
  const data = (chunk: Uint8Array) => {
    seen += chunk.length;
  };
  const parser = new TarParser({ member: () => {}, data });
  parser.write(entry({ patch: (block) => base256(block, 124, 12, 1n << 40n) }));
  const piece = Buffer.alloc(1 << 20);
  for (let i = 0; i < 64; i++) parser.write(piece);
  expect(seen).toBe(64 << 20);
  expect(() => parser.end()).toThrow(/1099444518912 bytes of content missing/);
});

test("random bytes in a header end in one line or in a member", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 512, maxLength: 512 }), (noise) => {
      const patch = (block: Buffer) => {
        for (const [at, byte] of noise.entries()) if (byte > 200) block[at]! ^= byte;
      };
      try {
        parse(Buffer.concat([entry({ patch }), end]));
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidParameter);
        expect((error as Error).message).toMatch(/^[^\n]+$/);
      }
    }),
  );
});
