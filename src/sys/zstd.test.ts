import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { lacking } from "../../test/oracle/programs.js";
import { ZstdDecompressor } from "./zstd.js";

function zstd(input: Uint8Array, ...args: string[]): Buffer {
  return execFileSync("zstd", ["-q", "-c", ...args], { input, maxBuffer: 1 << 30 });
}

function decompress(input: Uint8Array, piece: number, windowLog?: number): Buffer {
  using stream = new ZstdDecompressor(windowLog);
  const out: Uint8Array[] = [];
  for (let at = 0; at < input.length; at += piece) out.push(...stream.push(input.subarray(at, at + piece)));
  stream.finish();
  return Buffer.concat(out);
}

const text = Buffer.from(Array.from({ length: 200_000 }, (_, line) => `line ${line} ${line % 77}\n`).join(""));

describe.skipIf(lacking("zstd"))("zstd", () => {
  test.for([
    ["nothing", Buffer.alloc(0)],
    ["one byte", Buffer.from("x")],
    ["exactly one output buffer", Buffer.alloc(256 * 1024, "ab")],
    ["two output buffers of noise", randomBytes(512 * 1024)],
    ["text", text],
  ] as const)("what zstd packed comes out again: %s", ([, content]) => {
    const packed = zstd(content, "-3");
    for (const piece of [65536, 1013, ...(packed.length < 5000 ? [1] : [])]) {
      expect(decompress(packed, piece).equals(content)).toBe(true);
    }
  });

  test("frames one after the other, skippable ones among them, are one stream", () => {
    const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const packed = Buffer.concat([zstd(Buffer.from("a")), skippable, zstd(Buffer.from("b"), "-19")]);
    expect(decompress(packed, 5).toString()).toBe("ab");
  });

  test("a stream cut anywhere is told at its end", () => {
    const packed = zstd(text.subarray(0, 3000));
    for (let length = 0; length < packed.length; length++) {
      expect(() => decompress(packed.subarray(0, length), 4096), `${length} bytes`).toThrow(/cut off/);
    }
  });

  test("a changed byte and trailing junk are damage", () => {
    const packed = zstd(text);
    const changed = Buffer.from(packed);
    changed[packed.length >> 1]! ^= 0x10;
    expect(() => decompress(changed, 65536)).toThrow(/damaged zstd stream/);
    expect(() => decompress(Buffer.concat([packed, Buffer.from("junkjunk")]), 65536)).toThrow(/damaged zstd stream/);
  });

  test("a window larger than allowed is refused before memory is taken for it", () => {
    // The size is not known when compressing a pipe, so the frame asks for the whole window.
    const packed = zstd(text, "--long=30", "--single-thread");
    expect(() => decompress(packed, 65536)).toThrow(/too much memory/);
    expect(decompress(packed, 65536, 30).equals(text)).toBe(true);
  });

  test("pieces handed out are never written to again", () => {
    const packed = zstd(text);
    using stream = new ZstdDecompressor();
    const pieces: Uint8Array[] = [];
    const copies: Uint8Array[] = [];
    for (let at = 0; at < packed.length; at += 777) {
      for (const piece of stream.push(packed.subarray(at, at + 777))) {
        pieces.push(piece);
        copies.push(Uint8Array.from(piece));
      }
    }
    expect(Buffer.concat(pieces).equals(Buffer.concat(copies))).toBe(true);
    expect(Buffer.concat(pieces).equals(text)).toBe(true);
  });
});
