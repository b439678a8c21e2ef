import { describe, expect, test } from "vitest";
import { InvalidParameter } from "../spec/index.js";
import { archive, end, entry, long, pax, streamed } from "./handmade.test.kit.js";
import { indexTar } from "./tar-index.js";
import { untar } from "./untar.js";

async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

const plain = archive(
  entry({ name: "a", body: "1".repeat(1300) }),
  entry({ name: "d/", type: "5" }),
  entry({ name: "empty" }),
  entry({ name: "b", body: "2".repeat(700) }),
);

describe("the members of a plain archive", () => {
  test("come with their content, whatever the pieces", async () => {
    for (const length of [1, 7, 512, 1000, 1 << 16]) {
      const found: string[] = [];
      for await (const { name, kind, body } of untar(streamed(plain, length))) {
        found.push(`${kind} ${name} ${(await bytesOf(body)).length}`);
      }
      expect(found).toEqual(["file a 1300", "directory d/ 0", "file empty 0", "file b 700"]);
    }
  });

  test("may be passed over, also half read", async () => {
    const found: string[] = [];
    for await (const { name, body } of untar(streamed(plain, 100))) {
      found.push(name);
      if (name === "a") for await (const _ of body) break;
    }
    expect(found).toEqual(["a", "d/", "empty", "b"]);
  });

  test("cannot be read when the next was asked for", async () => {
    const bodies: AsyncIterable<Uint8Array>[] = [];
    for await (const { body } of untar(streamed(plain, 100))) bodies.push(body);
    await expect(bytesOf(bodies[0]!)).rejects.toThrow("read after the next member was asked for");
  });

  test("end the source when the reader stops early", async () => {
    let ended = false;
    async function* source() {
      try {
        yield* streamed(plain, 512);
      } finally {
        ended = true;
      }
    }
    for await (const _ of untar(source())) break;
    expect(ended).toBe(true);
  });

  test("stop where the archive is cut off", async () => {
    const read = async () => {
      for await (const { body } of untar(streamed(plain.subarray(0, 1000), 100))) await bytesOf(body);
    };
    await expect(read()).rejects.toThrow(/entry "a": archive truncated: 812 bytes of content missing, at byte 1000/);
    await expect(read()).rejects.toBeInstanceOf(InvalidParameter);
  });
});

describe("the index of an archive", () => {
  const image = archive(
    entry({ name: "./manifest.json", body: "[]\n" }),
    entry({ name: "a/", type: "5" }),
    long("L", `a/${"l".repeat(150)}.tar`),
    entry({ body: "layer" }),
    long("K", `../a/${"l".repeat(150)}.tar`),
    entry({ name: "b/layer.tar", type: "2" }),
    entry({ name: "abs", type: "2", linkname: "/../manifest.json" }),
    entry({ name: "dir", type: "2", linkname: "a" }),
    entry({ name: "hard", type: "1", linkname: "./b/layer.tar" }),
    entry({ name: "loop", type: "2", linkname: "loop" }),
    entry({ name: "out", type: "2", linkname: "../../../etc/passwd" }),
    pax([["comment", "x"]], "g"),
    entry({ name: "twice", body: "1" }),
    entry({ name: "twice", body: "22" }),
  );

  test("says where content lies, through links that stay inside", async () => {
    const index = await indexTar(streamed(image, 333));
    const read = (path: string) => {
      const found = index.file(path);
      return found && image.subarray(found.offset, found.offset + found.size).toString();
    };
    const name = `${"l".repeat(150)}.tar`;
    expect(read("manifest.json")).toBe("[]\n");
    expect(read("/manifest.json")).toBe("[]\n");
    for (const path of [`a/${name}`, "b/layer.tar", `dir/${name}`, "hard", `../b/./layer.tar`])
      expect(read(path), path).toBe("layer");
    expect(read("abs")).toBe("[]\n");
    expect(read("twice")).toBe("22");
    for (const path of ["a", "", "nothing", "loop", "out", "a/nothing"]) expect(read(path), path).toBeUndefined();
    expect([...index.entries.keys()]).toHaveLength(10);
  });

  test("is refused for more members than an image has", async () => {
    async function* endless() {
      const many = Buffer.concat(Array.from({ length: 1000 }, () => entry()));
      for (let i = 0; i < 200; i++) yield many;
      yield end;
    }
    await expect(indexTar(endless())).rejects.toThrow(/more than 100000 entries/);
  });
});
