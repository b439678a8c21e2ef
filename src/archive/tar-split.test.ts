import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { DataLoss, NotFound } from "../spec/index.js";
import { assemble, assembleSync } from "./assemble.js";
import { archive, cut, end, entry, parseLayer, pax, reassemble, streamed } from "./handmade.test.kit.js";
import { tarSplitRecords, tarSplitRecordsSync } from "./tar-split-reader.js";
import { TarSplitWriter } from "./tar-split-writer.js";

const lines = (split: Buffer) => split.toString().split("\n");
const file = (name: string, content: string) => `{"type":1,"name":"${name}","size":${content.length},`;

describe("tar-split as written", () => {
  const f = entry({ name: "f", body: "12345" });
  const bytes = archive(entry({ name: "./dev/", type: "5" }), f, entry({ name: "f2", type: "2", linkname: "f" }));

  test("is a line a segment and a line a member, in Docker's words", () => {
    const base64 = (from: number, to: number) => bytes.subarray(from, to).toString("base64");
    expect(lines(parseLayer(bytes).split)).toEqual([
      `{"type":2,"payload":"${base64(0, 512)}","position":0}`,
      '{"type":1,"name":"./dev/","payload":null,"position":1}',
      `{"type":2,"payload":"${base64(512, 1024)}","position":2}`,
      '{"type":1,"name":"f","size":5,"payload":"RaQQAbMgAAA=","position":3}',
      `{"type":2,"payload":"${base64(1029, 2048)}","position":4}`,
      '{"type":1,"name":"f2","payload":null,"position":5}',
      `{"type":2,"payload":"${base64(2048, 3072)}","position":6}`,
      "",
    ]);
  });

  test("does not depend on the pieces the archive came in", () => {
    const whole = parseLayer(bytes).split;
    for (const length of [1, 5, 511, 512, 513, 1030]) expect(parseLayer(bytes, length).split).toEqual(whole);
  });

  test("escapes names as Go does and keeps those that are not UTF-8 as bytes", () => {
    const names = ['<a>&"\\', "tab\there", "ünï", "caf\udce9", "\u2028"];
    const records = lines(parseLayer(archive(...names.map((name) => entry({ name, type: "6" })))).split);
    expect(records.filter((line) => line.startsWith('{"type":1')).map((line) => line.split(",")[1])).toEqual([
      '"name":"\\u003ca\\u003e\\u0026\\"\\\\"',
      '"name":"tab\\there"',
      '"name":"ünï"',
      '"name_raw":"Y2Fm6Q=="',
      '"name":"\\u2028"',
    ]);
  });

  test("has global headers in segments, so that two of them are no duplicates to dockerd", () => {
    const global = pax([["comment", "x"]], "g");
    const { split } = parseLayer(archive(global, entry({ name: "a" }), global, entry({ name: "b" })));
    expect(lines(split).filter((line) => line.startsWith('{"type":1'))).toHaveLength(2);
  });

  test("holds no more than a segment of what follows an archive", () => {
    const pieces: number[] = [];
    const split = new TarSplitWriter((chunk) => pieces.push(chunk.length));
    const garbage = Buffer.alloc(1 << 20, "g");
    for (let i = 0; i < 20; i++) split.raw(garbage, 0, garbage.length);
    expect(pieces.length).toBeGreaterThan(50);
    expect(Math.max(...pieces)).toBeLessThan(500_000);
  });
});

describe("tar-split as read", () => {
  const bytes = archive(entry({ name: "a", body: "x".repeat(2000) }), entry({ name: "d/", type: "5" }));
  const layer = parseLayer(bytes);

  const read = (text: string | Buffer, length = 1 << 16) =>
    [...tarSplitRecordsSync(cut(Buffer.from(text), length))].map((record) =>
      record.kind === "segment" ? record.payload.length : `${record.name} ${record.size}`,
    );

  test("may be cut anywhere", () => {
    for (let length = 1; length < 99; length++)
      expect(read(layer.split, length)).toEqual([512, "a 2000", 560, "d/ 0", 1024]);
  });

  test("may have been written by others, with white space and keys in another order", () => {
    const records = lines(layer.split)
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    const reordered = records.map((record) => Object.fromEntries(Object.entries(record).reverse()));
    const expected = read(layer.split);
    for (const list of [records, reordered]) {
      expect(read(list.map((record) => JSON.stringify(record, null, 2)).join(" \r\n\t"))).toEqual(expected);
      expect(read(list.map((record) => JSON.stringify(record)).join(""), 7)).toEqual(expected);
    }
  });

  test("may have names with quotes, braces and backslashes", () => {
    const names = ['"', "\\", '\\"', "{}", '}"{', "a\\\\"];
    const { split } = parseLayer(archive(...names.map((name) => entry({ name }))));
    const found = [...tarSplitRecordsSync(cut(split, 3))].flatMap((r) => (r.kind === "file" ? [r.name] : []));
    expect(found).toEqual(names);
  });

  test("may be plain or compressed, at any level and in several members", async () => {
    const half = layer.split.indexOf("\n") + 1;
    const members = [layer.split.subarray(0, half), layer.split.subarray(half)].map((part) =>
      gzipSync(part, { level: 1 }),
    );
    for (const form of [layer.split, gzipSync(layer.split), Buffer.concat(members)]) {
      const out: Uint8Array[] = [];
      for await (const chunk of assemble(streamed(form, 50), async () => streamed(layer.contents.get("a")!)))
        out.push(chunk);
      expect(Buffer.concat(out).equals(bytes)).toBe(true);
    }
  });

  test.for([
    ["cut off", layer.split.subarray(0, -9), /record 4: truncated/],
    ["no JSON", Buffer.from("nonsense"), /record 0: no JSON object/],
    ["not what it should be", Buffer.from("{\"type\":1,'name':3}"), /record 0: /],
    ["of an unknown type", Buffer.from('{"type":7,"payload":""}'), /unknown type 7/],
    ["without base64", Buffer.from('{"type":2,"payload":"a*b="}'), /not base64/],
    ["of negative size", Buffer.from('{"type":1,"name":"a","size":-1}'), /size -1/],
    ["of a name that is none", Buffer.from('{"type":1,"name":{"x":1}}'), /record 0: /],
    ["endless", Buffer.alloc(9 << 20, '{"a":"'), /too long/],
  ] as const)("is refused when %s", ([, split, message]) => {
    const run = () => [...tarSplitRecordsSync([split])];
    expect(run).toThrow(DataLoss);
    expect(run).toThrow(message);
  });

  test("is refused when its gzip is cut off or damaged", async () => {
    const zipped = gzipSync(layer.split);
    const read = async (form: Buffer) => {
      for await (const _ of tarSplitRecords(streamed(form)));
    };
    await expect(read(zipped.subarray(0, -20))).rejects.toThrow(/tar-split damaged: gzip stream damaged: truncated/);
    zipped[zipped.length - 6]! ^= 1;
    await expect(read(zipped)).rejects.toBeInstanceOf(DataLoss);
    expect(() => gunzipSync(zipped)).toThrow();
  });
});

describe("rebuilding an archive", () => {
  const layer = parseLayer(archive(entry({ name: "./a", body: "content" }), entry({ name: "b" })));

  const rebuild = (content: string, split = layer.split) => {
    const asked: string[] = [];
    const open = (path: string, size: number) => {
      asked.push(`${path} ${size}`);
      return cut(Buffer.from(content), 3);
    };
    return {
      bytes: Buffer.concat(Array.from(assembleSync(tarSplitRecordsSync([split]), open), (piece) => Buffer.from(piece))),
      asked,
    };
  };

  test("asks for files that have content, by clean path", () => {
    expect(rebuild("content").asked).toEqual(["a 7"]);
    expect(rebuild("content").bytes.equals(reassemble(layer))).toBe(true);
  });

  test.for([
    ["changed", "CONTENT", /^file integrity checksum failed for "\.\/a": its content has changed$/],
    ["shorter", "conten", /for "\.\/a": 6 bytes instead of 7$/],
    ["longer", "content!", /for "\.\/a": longer than the 7 bytes it had$/],
  ] as const)("finds a file that is %s", ([, content, message]) => {
    expect(() => rebuild(content)).toThrow(DataLoss);
    expect(() => rebuild(content)).toThrow(message);
  });

  test("finds a checksum that is mangled", () => {
    const mangled = Buffer.from(
      layer.split.toString().replace(file("./a", "content"), '{"type":1,"name":"a","size":7,'),
    );
    expect(rebuild("content", mangled).asked).toEqual(["a 7"]);
    const wrong = Buffer.from(mangled.toString().replace(/("size":7,"payload":")..../, "$1AAAA"));
    expect(() => rebuild("content", wrong)).toThrow(/integrity checksum failed/);
  });

  test("names the file that is missing", async () => {
    const lost = () => {
      throw new NotFound("no such file");
    };
    const run = async () => {
      for await (const _ of assemble(streamed(layer.split), lost));
    };
    await expect(run()).rejects.toThrow(/^file "\.\/a" of the layer cannot be read: no such file$/);
    await expect(run()).rejects.toBeInstanceOf(DataLoss);
  });

  test("passes an abort on as it is", () => {
    const reason = new DOMException("stop", "AbortError");
    const stop = () => {
      throw reason;
    };
    expect(() => [...assembleSync(tarSplitRecordsSync([layer.split]), stop)]).toThrow(reason);
  });

  test("never opens what lies outside of the layer", () => {
    const evil = Buffer.from(layer.split.toString().replace("./a", "../../etc/shadow"));
    expect(() => rebuild("content", evil)).toThrow(/outside of the layer/);
  });

  test("of an empty archive gives nothing", () => {
    expect(reassemble(parseLayer(Buffer.alloc(0)))).toHaveLength(0);
    expect(reassemble(parseLayer(end)).equals(end)).toBe(true);
  });
});
