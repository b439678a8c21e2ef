import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  baseOf,
  cleanPath,
  climbs,
  compareNames,
  decodeName,
  encodeName,
  isUTF8,
  joinPath,
  parentOf,
} from "./index.js";

/** Bytes with many of the lead, continuation and forbidden bytes of UTF-8 among them. */
const bytes = fc.array(
  fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0xc0, 0xc2, 0xe0, 0xed, 0xa0, 0xb2, 0x80, 0xbf, 0xef, 0xbd, 0xf0, 0x90, 0xf4, 0xf5, 0xff),
  ),
  { maxLength: 24 },
);

describe("names are bytes", () => {
  test("any bytes come back from text exactly", () => {
    fc.assert(
      fc.property(bytes, (list) => {
        const name = Buffer.from(list);
        expect(encodeName(decodeName(name))).toEqual(name);
      }),
      { numRuns: 5000 },
    );
  });

  test("different bytes make different text", () => {
    fc.assert(
      fc.property(bytes, bytes, (one, other) => {
        const same = Buffer.from(one).equals(Buffer.from(other));
        expect(decodeName(Buffer.from(one)) === decodeName(Buffer.from(other))).toBe(same);
      }),
      { numRuns: 5000 },
    );
  });

  test("UTF-8 reads as Unicode, U+FFFD and a byte order mark included", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(decodeName(Buffer.from(text))).toBe(text);
        expect(isUTF8(text)).toBe(true);
      }),
    );
    for (const text of ["\ufffd", "\ufeffx", "a\ufffd\ufeffb"]) expect(decodeName(Buffer.from(text))).toBe(text);
  });

  test("a byte that is not UTF-8 becomes one lone surrogate", () => {
    expect(decodeName(Uint8Array.of(0x61, 0xff, 0x62))).toBe("a\udcffb");
    expect(isUTF8("a\udcffb")).toBe(false);
  });

  test("a surrogate that someone wrote as three bytes is three escapes, not one character", () => {
    expect(decodeName(Uint8Array.of(0xed, 0xb2, 0x80))).toBe("\udced\udcb2\udc80");
  });

  test("a view into a larger buffer is decoded alone", () => {
    expect(decodeName(Buffer.from("xx\xffyy", "latin1").subarray(1, 4))).toBe("x\udcffy");
  });

  test("names sort as their bytes do", () => {
    fc.assert(
      fc.property(bytes, bytes, (one, other) => {
        const [x, y] = [Buffer.from(one), Buffer.from(other)];
        expect(Math.sign(compareNames(decodeName(x), decodeName(y)))).toBe(Math.sign(Buffer.compare(x, y)));
      }),
    );
    expect(["\u{1f600}", "\uffee"].toSorted(compareNames)).toEqual(["\uffee", "\u{1f600}"]);
  });
});

describe("paths", () => {
  test.for([
    ["a/b", "a/b"],
    ["./a/", "a"],
    ["/a//b/./c/", "a/b/c"],
    [".", ""],
    ["./", ""],
    ["/", ""],
    ["", ""],
    ["..", ""],
    ["../../etc/passwd", "etc/passwd"],
    ["/../x", "x"],
    ["a/../../b", "b"],
    ["a/b/../c", "a/c"],
    ["...", "..."],
    ["a/..b/c..", "a/..b/c.."],
    [".wh..wh..opq", ".wh..wh..opq"],
  ] as const)("%j stands for %j", ([name, path]) => {
    expect(cleanPath(name)).toBe(path);
  });

  test("a cleaned path is clean, whatever it was", () => {
    const name = fc.array(fc.constantFrom("a", "..", ".", "", "b", ".."), { maxLength: 8 }).map((p) => p.join("/"));
    fc.assert(
      fc.property(name, (text) => {
        const path = cleanPath(text);
        expect(path === "" || path.split("/").every((part) => !["", ".", ".."].includes(part))).toBe(true);
        expect(cleanPath(path)).toBe(path);
      }),
    );
  });

  test("only a whole name of two dots climbs", () => {
    expect(["..", "a/..", "../a", "a/../b"].map(climbs)).toEqual([true, true, true, true]);
    expect(["...", "a..b", "..a/b..", "a/.../b"].map(climbs)).toEqual([false, false, false, false]);
  });

  test("parent and base put together give the path", () => {
    for (const path of ["a", "a/b", "a/b/c"]) expect(joinPath(parentOf(path), baseOf(path))).toBe(path);
    expect([parentOf("a"), baseOf("a/b")]).toEqual(["", "b"]);
  });
});
