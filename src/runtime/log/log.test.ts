import { randomBytes } from "node:crypto";
import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseEntry } from "./entry.js";
import { type ReadLogOptions, readLog } from "./reader.js";
import { type LogOptions, LogWriter } from "./writer.js";

class Place implements AsyncDisposable {
  readonly directory: string;
  readonly path: string;
  readonly failures: string[] = [];

  private constructor(directory: string) {
    this.directory = directory;
    this.path = join(directory, "c-json.log");
  }

  static async make(): Promise<Place> {
    return new Place(await mkdtemp(join(tmpdir(), "log-")));
  }

  writer(options: Partial<LogOptions> = {}): Promise<LogWriter> {
    const events = { drained: () => {}, failed: (message: string) => void this.failures.push(message) };
    return LogWriter.open({ path: this.path, ...options }, events);
  }

  entries() {
    const lines = readFileSync(this.path, "utf8").split("\n").slice(0, -1);
    return lines.map((line) => parseEntry(line)!);
  }

  async text(options: Partial<ReadLogOptions> = {}): Promise<string> {
    return (await buffer(readLog(this.path, { ...both, ...options }))).toString();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

const both = { stdout: true, stderr: true, framed: false } as const;

test("text comes back as it was, in whatever chunks it was written", async () => {
  const text = fc.array(
    fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("\n", '\t\u2028<&>\\"', "x".repeat(16_384))),
  );
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(40_000)), async (parts, cuts) => {
      await using place = await Place.make();
      const bytes = Buffer.from(parts.join(""));
      const writer = await place.writer();
      let at = 0;
      for (const size of [...cuts, bytes.length]) {
        writer.write("stdout", bytes.subarray(at, at + size));
        at += size;
      }
      await writer.close();
      // A character that is divided between two pieces of a long line is lost, as with dockerd.
      const expected = cutAsDocker(bytes);
      expect(place.entries().map(({ log }) => log)).toEqual(expected);
      expect(await place.text()).toBe(expected.join(""));
    }),
    { numRuns: 50 },
  );
});

/** Lines, of which the long ones are divided. */
function cutAsDocker(bytes: Buffer): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf("\n", at);
    const line = bytes.subarray(at, Math.min(newline < 0 ? bytes.length : newline + 1, at + 16_384 + 1));
    const piece = line.length > 16_384 || newline < 0 ? line.subarray(0, 16_384) : line;
    pieces.push(piece.toString());
    at += piece.length;
  }
  return pieces;
}

test("each byte that is not UTF-8 is one U+FFFD", async () => {
  await using place = await Place.make();
  const writer = await place.writer();
  writer.write(
    "stderr",
    Buffer.from([0x61, 0xff, 0xe2, 0x82, 0x62, 0xed, 0xa0, 0x80, 0xf4, 0x90, 0x80, 0x80, 0xc0, 0xaf, 0x0a]),
  );
  await writer.close();
  expect(place.entries()).toMatchObject([{ log: `a${"\ufffd".repeat(3)}b${"\ufffd".repeat(9)}\n`, stream: "stderr" }]);
  expect(readFileSync(place.path, "latin1")).toContain('"a\\ufffd\\ufffd\\ufffdb');
});

test("the two streams keep their own unfinished lines; attrs go with each line", async () => {
  await using place = await Place.make();
  const writer = await place.writer({ attrs: { tag: "t", b: "<1>" } });
  writer.write("stdout", Buffer.from("one "));
  writer.write("stderr", Buffer.from("err\nunfinished"));
  writer.write("stdout", Buffer.from("line\n"));
  await writer.close();
  expect(place.entries().map(({ stream, log }) => [stream, log])).toEqual([
    ["stderr", "err\n"],
    ["stdout", "one line\n"],
    ["stderr", "unfinished"],
  ]);
  expect(readFileSync(place.path, "utf8")).toMatch(
    /^\{"log":"err\\n","stream":"stderr","attrs":\{"b":"\\u003c1\\u003e","tag":"t"\},"time":"/,
  );
  expect(await place.text({ details: true, stdout: false })).toBe("b=%3C1%3E,tag=t err\nb=%3C1%3E,tag=t unfinished");
});

test.for([
  [1, false],
  [3, false],
  [3, true],
] as const)("of %i files, compressed %s, the youngest lines are there", async ([maxFiles, compress]) => {
  await using place = await Place.make();
  const writer = await place.writer({ maxSize: 5_000, maxFiles, compress });
  const lines = Array.from({ length: 500 }, (_, index) => `line ${index}\n`);
  for (let at = 0; at < lines.length; at += 25) writer.write("stdout", Buffer.from(lines.slice(at, at + 25).join("")));
  await writer.close();
  expect(place.failures).toEqual([]);
  const suffix = compress ? ".gz" : "";
  const aside = Array.from({ length: maxFiles - 1 }, (_, index) => `c-json.log.${index + 1}${suffix}`);
  expect((await readdir(place.directory)).sort()).toEqual(["c-json.log", ...aside]);
  const read = (name: string) => readFileSync(join(place.directory, name));
  for (const name of aside) {
    const { length } = compress ? gunzipSync(read(name)) : read(name);
    // Put aside by the first line for which there is no room, as dockerd does.
    expect(length).toBeGreaterThanOrEqual(5_000);
    expect(length).toBeLessThan(5_000 + 200);
  }
  const text = await place.text();
  expect(lines.join("").endsWith(text)).toBe(true);
  expect(text.length).toBeGreaterThan(maxFiles === 1 ? 0 : 1_000);
  const tail = await place.text({ tail: 100 });
  expect(tail).toBe(text.split("\n").slice(-101).join("\n"));
});

test("the last lines are found in files of any form", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(300), { maxLength: 400 }), fc.nat(500), fc.boolean(), async (sizes, tail, cut) => {
      await using place = await Place.make();
      const lines = sizes.map((size, index) => `${index} ${"x".repeat(size * 5)}\n`);
      const text = lines.map((log, index) => entryLine(log, index)).join("");
      const [older, younger] = [
        text.slice(0, text.indexOf("\n", text.length / 3) + 1),
        text.slice(text.indexOf("\n", text.length / 3) + 1),
      ];
      writeFileSync(`${place.path}.1`, older);
      writeFileSync(place.path, cut ? younger.replace(/\n$/, "") : younger);
      expect(await place.text({ tail })).toBe(tail === 0 ? "" : lines.slice(-tail).join(""));
    }),
    { numRuns: 40 },
  );
});

function entryLine(log: string, second: number, stream = "stdout"): string {
  return `${JSON.stringify({ log, stream, time: new Date(second * 1000).toISOString() })}\n`;
}

test("a place in the log bounds what is read, wherever its file is by then; a lost one does by its time", async () => {
  await using place = await Place.make();
  const old = entryLine("old\n", 1);
  writeFileSync(`${place.path}.1`, old + entryLine("next\n", 2));
  writeFileSync(place.path, entryLine("new\n", 3));
  const inode = statSync(`${place.path}.1`, { bigint: true }).ino;
  const atNs = 2_000_000_000n;
  expect(await place.text({ before: { inode, size: old.length, atNs } })).toBe("old\n");
  expect(await place.text({ before: { inode: 1n, size: old.length, atNs } })).toBe("old\nnext\n");
  const { ino: reused } = statSync(place.path, { bigint: true });
  expect(await place.text({ before: { inode: reused, size: 1000, atNs } })).toBe("old\nnext\n");
});

test("since and until bound the time, the last lines being counted before", async () => {
  await using place = await Place.make();
  writeFileSync(place.path, Array.from({ length: 10 }, (_, index) => entryLine(`${index}\n`, index)).join(""));
  const seconds = (count: number) => BigInt(count) * 1_000_000_000n;
  expect(await place.text({ sinceNs: seconds(7) })).toBe("7\n8\n9\n");
  expect(await place.text({ untilNs: seconds(2) })).toBe("0\n1\n2\n");
  expect(await place.text({ tail: 4, untilNs: seconds(6), timestamps: true })).toBe(
    "1970-01-01T00:00:06.000000000Z 6\n",
  );
});

test("a line that a crash has cut is left out, also when the log goes on behind it", async () => {
  await using place = await Place.make();
  writeFileSync(place.path, `${entryLine("whole\n", 1)}{"log":"cut`);
  expect(await place.text()).toBe("whole\n");
  const writer = await place.writer();
  writer.write("stdout", Buffer.from("next\n"));
  await writer.close();
  expect(await place.text()).toBe("whole\nnext\n");
});

test.for([
  ["one file", {}],
  ["files put aside", { maxSize: 3_000, maxFiles: 4 }],
  ["files compressed", { maxSize: 30_000, maxFiles: 3, compress: true }],
] as const)("who follows %s misses nothing and ends with the container", async ([, options]) => {
  await using place = await Place.make();
  const stopped = new AbortController();
  let text = "";
  const reading = (async () => {
    for await (const bytes of readLog(place.path, { ...both, follow: stopped.signal }))
      text += Buffer.from(bytes).toString();
  })();
  const writer = await place.writer(options);
  const lines: string[] = [];
  for (let round = 0; round < 60; round++) {
    const more = Array.from({ length: 20 }, () => `${round} ${randomBytes(8).toString("hex")}\n`);
    lines.push(...more);
    writer.write("stdout", Buffer.from(more.join("")));
    while (text.length < lines.join("").length) await new Promise((resolve) => setImmediate(resolve));
  }
  await writer.close();
  stopped.abort();
  await reading;
  expect(text).toBe(lines.join(""));
});

test("following ends at once when it is given up, and at `until`", async () => {
  await using place = await Place.make();
  appendFileSync(place.path, entryLine("a\n", 1));
  const [given, follow] = [new AbortController(), new AbortController().signal];
  for await (const bytes of readLog(place.path, { ...both, follow, signal: given.signal })) {
    expect(Buffer.from(bytes).toString()).toBe("a\n");
    given.abort();
  }
  const untilNs = BigInt(Date.now() + 50) * 1_000_000n;
  expect(await place.text({ follow, untilNs })).toBe("a\n");
});

test("what is compressed is read, and nothing is left of reading it", async () => {
  await using place = await Place.make();
  writeFileSync(`${place.path}.1.gz`, gzipSync(entryLine("old\n", 1)));
  writeFileSync(place.path, entryLine("new\n", 2));
  expect(await place.text()).toBe("old\nnew\n");
  expect(await place.text({ tail: 1 })).toBe("new\n");
  expect((await readdir(place.directory)).length).toBe(2);
});

test("a container goes on when its log cannot be written, which is said once", async () => {
  await using place = await Place.make();
  const writer = await place.writer({ path: "/dev/full" });
  for (let round = 0; round < 3; round++) {
    writer.write("stdout", Buffer.from("lost\n"));
    await writer.written();
  }
  await writer.close();
  expect(place.failures).toHaveLength(1);
  expect(place.failures[0]).toMatch(/^\/dev\/full: ENOSPC/);
});
