import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { deflateRawSync, gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { InvalidParameter, Unavailable } from "../spec/index.js";
import { compressionOf } from "./compression.js";
import { decompressed } from "./decompressed.js";
import { freed } from "./free.js";
import { streamed } from "./handmade.test.kit.js";

async function read(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) pieces.push(piece);
  return Buffer.concat(pieces);
}

const text = Buffer.concat([Buffer.from("layer ".repeat(100_000)), randomBytes(300_000)]);
const unpacked = (bytes: Uint8Array, length?: number) => read(decompressed(streamed(bytes, length)));

/** Packed by a program, if it is there. */
function packed(program: string, bytes: Buffer = text): Buffer | undefined {
  const { stdout, status } = spawnSync(program, ["-c"], { input: bytes, maxBuffer: 1 << 28 });
  if (status !== 0) console.log(`skipped here: no ${program}`);
  return status === 0 ? stdout : undefined;
}

const forms = [
  { name: "gzip", packed: gzipSync(text) },
  ...["bzip2", "xz", "zstd"].map((name) => ({ name, packed: packed(name) })),
] as const;

describe.for(forms)("a stream packed by $name", ({ name, packed }) => {
  test.skipIf(!packed)("is told by its first bytes and unpacked", async () => {
    expect(compressionOf(packed!)).toBe(name);
    for (const length of [1000, 1 << 20]) expect((await unpacked(packed!, length)).equals(text)).toBe(true);
  });

  test.skipIf(!packed)("may come in single bytes at first", async () => {
    async function* slow() {
      yield* streamed(packed!.subarray(0, 40), 1);
      yield packed!.subarray(40);
    }
    expect((await read(decompressed(slow()))).equals(text)).toBe(true);
  });

  test.skipIf(!packed)("may be several in a row", async () => {
    const twice = await unpacked(Buffer.concat([packed!, packed!]));
    expect(twice.equals(Buffer.concat([text, text]))).toBe(true);
  });

  test.skipIf(!packed)("is refused when cut off or damaged, in one line", async () => {
    const damaged = Buffer.from(packed!);
    for (let at = 1000; at < 1100; at++) damaged[at]! ^= 0x55;
    for (const bytes of [packed!.subarray(0, -100), packed!.subarray(0, 20), damaged]) {
      await expect(unpacked(bytes)).rejects.toBeInstanceOf(InvalidParameter);
      await expect(unpacked(bytes)).rejects.toThrow(new RegExp(`^[^\\n]*${name}[^\\n]*$`));
    }
  });

  test.skipIf(!packed)("tells what is used up, which may be overwritten then", async () => {
    let left = packed!.length;
    const onUsed = (piece: Uint8Array) => {
      left -= piece.length;
      piece.fill(0xff);
    };
    expect((await read(decompressed(streamed(packed!, 7000), { onUsed }))).equals(text)).toBe(true);
    expect(left).toBe(0);
  });

  test.skipIf(!packed)("may come in pieces that are gone when the next is asked for", async () => {
    for (const length of [100, 5000, 100_000]) {
      async function* own() {
        for await (const piece of streamed(packed!, length)) yield new Uint8Array(piece);
      }
      expect((await read(decompressed(freed(own())))).equals(text)).toBe(true);
    }
  });

  test.skipIf(!packed)("may be read by who keeps nothing, or by who keeps all", async () => {
    const large = Buffer.concat([packed!, packed!, packed!, packed!]);
    const whole = Buffer.concat([text, text, text, text]);
    let at = 0;
    for await (const piece of decompressed(streamed(large), { isBrief: true })) {
      expect(whole.subarray(at, at + piece.length).equals(piece)).toBe(true);
      at += piece.length;
    }
    expect(at).toBe(whole.length);
    expect((await unpacked(large)).equals(whole)).toBe(true);
  });

  test.skipIf(!packed)("passes the failure of its source on", async () => {
    async function* broken() {
      yield packed!.subarray(0, 5000);
      throw new Error("connection lost");
    }
    await expect(read(decompressed(broken()))).rejects.toThrow(/^connection lost$/);
  });

  test.skipIf(!packed)("stops when aborted, also while its source stalls", async () => {
    const controller = new AbortController();
    const reason = new DOMException("enough", "AbortError");
    async function* stalling() {
      yield packed!.subarray(0, 200_000);
      setImmediate(() => controller.abort(reason));
      await new Promise<void>((resolve) => controller.signal.addEventListener("abort", () => resolve()));
      yield packed!.subarray(200_000);
    }
    await expect(read(decompressed(stalling(), { signal: controller.signal }))).rejects.toBe(reason);
    await expect(read(decompressed(stalling(), { signal: controller.signal }))).rejects.toBe(reason);
  });

  test.skipIf(!packed)("may be left half read", async () => {
    let ended = () => {};
    const closed = new Promise<void>((resolve) => {
      ended = resolve;
    });
    async function* source() {
      try {
        for (;;) yield packed!;
      } finally {
        ended();
      }
    }
    for await (const _ of decompressed(source())) break;
    await closed;
  });
});

describe("a stream that is not packed", () => {
  test.for(["", "x", "hello", "hello, world"])("passes as it is: %j", async (bytes) => {
    expect((await unpacked(Buffer.from(bytes), 1)).toString()).toBe(bytes);
  });

  test("is ended when the reader stops", async () => {
    let ended = false;
    async function* source() {
      try {
        for (;;) yield Buffer.alloc(1000);
      } finally {
        ended = true;
      }
    }
    for await (const _ of decompressed(source())) break;
    expect(ended).toBe(true);
  });
});

describe("gzip", () => {
  test("may be padded with zeros, and with nothing else, wherever the pieces end", async () => {
    const zipped = gzipSync(text);
    for (const length of [997, zipped.length, 1 << 20]) {
      const padded = await unpacked(Buffer.concat([zipped, Buffer.alloc(700)]), length);
      expect(padded.equals(text)).toBe(true);
      const garbage = unpacked(Buffer.concat([zipped, Buffer.from("trailing garbage")]), length);
      await expect(garbage).rejects.toThrow(/^gzip stream damaged: incorrect header check$/);
    }
  });

  test("of nothing is nothing", async () => {
    expect(await unpacked(gzipSync(""))).toHaveLength(0);
  });

  test("whose length field lies is refused", async () => {
    const wrong = gzipSync(text);
    wrong.writeUInt32LE(5, wrong.length - 4);
    await expect(unpacked(wrong)).rejects.toThrow(/gzip stream damaged: incorrect length check/);
  });
});

describe("a stream that unpacks to a thousand times its size", () => {
  /** 8 times this is 512 MiB of zeros. */
  const zeros = 1 << 26;
  const part = deflateRawSync(Buffer.alloc(zeros), { level: 9, finishFlush: 2 });
  const header = Buffer.from("1f8b08000000000000ff", "hex");
  const bombs = [
    ["gzip", () => Array.from({ length: 8 }, (_, i) => (i === 0 ? Buffer.concat([header, part]) : part))],
    ["zstd", () => Array.from({ length: 8 }, () => packed("zstd", Buffer.alloc(zeros)))],
  ] as const;

  test.for(bombs)("does not fill memory: %s", async ([name, parts]) => {
    const list = parts();
    if (list.some((bytes) => !bytes)) return console.log(`skipped: no program ${name}`);
    async function* source() {
      yield* list as Buffer[];
    }
    let [seen, peak] = [0, 0];
    const before = process.memoryUsage().rss;
    for await (const chunk of decompressed(source())) {
      seen += chunk.length;
      peak = Math.max(peak, process.memoryUsage().rss - before);
      if (seen >= zeros * 7) break;
    }
    expect(seen).toBeGreaterThanOrEqual(zeros * 7);
    expect(peak).toBeLessThan(250e6);
  });
});

describe("a program that is not there", () => {
  const path = process.env.PATH;
  afterEach(() => {
    process.env.PATH = path;
  });

  test("is named, with what to do", async () => {
    process.env.PATH = "/nonexistent";
    const xz = Buffer.from("fd377a585a00", "hex");
    await expect(unpacked(xz)).rejects.toBeInstanceOf(Unavailable);
    await expect(unpacked(xz)).rejects.toThrow(
      /needs the program "xz": install the package xz-utils, or compress with/,
    );
  });
});

test("unpacking gzip leaves the event loop free", async () => {
  const bytes = gzipSync(Buffer.concat(Array.from({ length: 10 }, () => randomBytes(1 << 20))), { level: 1 });
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const unpacked = await read(decompressed(streamed(bytes, 1 << 20)));
  clearInterval(timer);
  expect(unpacked).toHaveLength(10 << 20);
  expect(turns).toBeGreaterThan(2);
});

test("what inflating took is free when the next piece is asked for, where nobody keeps it", async () => {
  const pieces: Uint8Array[] = [];
  for await (const piece of decompressed(streamed(gzipSync(Buffer.alloc(10 << 20))), { isBrief: true }))
    pieces.push(piece);
  expect(pieces.length).toBeGreaterThan(18);
  expect(pieces.filter(({ length }) => length > 0).length).toBeLessThan(4);
});
