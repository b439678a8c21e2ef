import fc from "fast-check";
import { expect, test } from "vitest";
import { InvalidParameter } from "../spec/index.js";
import { archive, entry, long, parse, parseLayer, pax, reassemble, streamed } from "./handmade.test.kit.js";
import { indexTar } from "./tar-index.js";
import { TarParser } from "./tar-parser.js";
import { untar } from "./untar.js";

/** Valid archives with something of everything, as lists of blocks. */
const seeds = [
  archive(
    entry({ name: "d/", type: "5" }),
    entry({ name: "d/f", body: "content".repeat(100) }),
    entry({ name: "d/l", type: "2", linkname: "f" }),
    entry({ name: "d/h", type: "1", linkname: "d/f" }),
    entry({ name: "d/.wh.x" }),
    entry({ name: "d/c", type: "3", major: 1, minor: 3 }),
  ),
  archive(
    pax([
      ["path", "long/".repeat(60)],
      ["mtime", "1700000000.5"],
      ["SCHILY.xattr.user.x", "value"],
    ]),
    entry({ body: "abc" }),
    pax([["comment", "x"]], "g"),
    long("L", "name/".repeat(60)),
    long("K", "target/".repeat(60)),
    entry({ type: "2", magic: "ustar  \0" }),
  ),
  Buffer.concat([archive(entry({ name: "old", type: "\0", magic: "", body: "v7" })), Buffer.from("garbage")]),
];

interface Mutation {
  readonly kind: "byte" | "digit" | "block" | "cut" | "drop" | "repeat" | "swap" | "zero";
  readonly at: number;
  readonly value: number;
}

const aMutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom("byte", "digit", "block", "cut", "drop", "repeat", "swap", "zero"),
  at: fc.nat(4095),
  value: fc.nat(255),
});

/** Headers get a right checksum again, so that what they claim is read. */
function mutated(seed: Buffer, mutations: readonly Mutation[], sealed: boolean) {
  let bytes = Buffer.from(seed);
  for (const { kind, at: anywhere, value } of mutations) {
    if (bytes.length < 512) break;
    const at = anywhere % bytes.length;
    const block = at - (at % 512);
    const [before, it, after] = [
      bytes.subarray(0, block),
      bytes.subarray(block, block + 512),
      bytes.subarray(block + 512),
    ];
    if (kind === "byte") bytes[at] = value;
    else if (kind === "digit") it[Math.min(it.length - 1, 100 + (value % 60))] = 0x30 + (at % 8);
    else if (kind === "block") it.fill(value);
    else if (kind === "zero") bytes.subarray(at, at + value).fill(0);
    else if (kind === "cut") bytes = bytes.subarray(0, at);
    else if (kind === "drop") bytes = Buffer.concat([before, after]);
    else if (kind === "repeat") bytes = Buffer.concat([before, it, it, after]);
    else bytes = Buffer.concat([before, after, it]);
  }
  if (sealed) for (let at = 0; at + 512 <= bytes.length; at += 512) seal(bytes.subarray(at, at + 512));
  return bytes;
}

function seal(block: Buffer): void {
  if (block.every((byte) => byte === 0) || block.toString("latin1", 257, 262) !== "ustar") return;
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}

/** Runs; anything it throws must be one clear line. */
function survives<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    expectOneLine(error);
    return undefined;
  }
}

function expectOneLine(error: unknown): void {
  expect(error).toBeInstanceOf(InvalidParameter);
  expect((error as Error).message).toMatch(/^archive [^\n]{5,4000}$/);
}

const hostile = [fc.nat(seeds.length - 1), fc.array(aMutation, { minLength: 1, maxLength: 6 }), fc.boolean()] as const;

test("a damaged layer is refused in one line, or comes out byte for byte", () => {
  let taken = 0;
  fc.assert(
    fc.property(...hostile, fc.constantFrom(100, 512, 700, 1 << 20), (seed, mutations, sealed, length) => {
      const bytes = mutated(seeds[seed]!, mutations, sealed);
      const layer = survives(() => parseLayer(bytes, length));
      if (!layer) return;
      taken++;
      expect(reassemble(layer).equals(bytes)).toBe(true);
    }),
    { numRuns: 1500 },
  );
  expect(taken).toBeGreaterThan(100);
});

test("a damaged archive is refused in the same place, whatever the pieces", () => {
  const read = (bytes: Buffer, length: number) => {
    try {
      return parse(bytes, length).members;
    } catch (error) {
      return (error as Error).message;
    }
  };
  fc.assert(
    fc.property(...hostile, fc.integer({ min: 1, max: 600 }), (seed, mutations, sealed, length) => {
      const bytes = mutated(seeds[seed]!, mutations, sealed);
      expect(read(bytes, length)).toEqual(read(bytes, bytes.length || 1));
    }),
    { numRuns: 300 },
  );
});

test("a damaged plain archive is refused in one line, or read", async () => {
  await fc.assert(
    fc.asyncProperty(...hostile, async (seed, mutations, sealed) => {
      const bytes = mutated(seeds[seed]!, mutations, sealed);
      try {
        const index = await indexTar(streamed(bytes, 600));
        for (const path of [...index.entries.keys(), "d/l", "d/h"]) index.file(path);
        for await (const { body } of untar(streamed(bytes, 600))) for await (const _ of body);
      } catch (error) {
        expectOneLine(error);
      }
    }),
    { numRuns: 300 },
  );
});

test("a gigabyte of extended headers is read in bounded memory", () => {
  const before = process.memoryUsage().arrayBuffers;
  const megabyte = (1 << 20) - 100;
  const parts = [pax([["comment", "c".repeat(megabyte)]]), long("L", "n".repeat(megabyte)), entry()];
  const parser = new TarParser({ member: () => {}, data: () => {} });
  let peak = 0;
  for (let i = 0; i < 500; i++) {
    for (const part of parts) parser.write(part);
    peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
  }
  parser.end();
  expect(peak).toBeLessThan(200e6);
});
