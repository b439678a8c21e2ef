import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { gathered, inPieces } from "../../../test/oracle/image-stores.js";
import { lacking } from "../../../test/oracle/programs.js";
import { rawTar } from "../../../test/oracle/raw-tar.js";
import { output } from "../../../test/oracle/run.js";
import { spool } from "./spool.js";

const scratch = await mkdtemp(join(tmpdir(), "spool-"));
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Contents around the sizes of blocks. */
const contents = [0, 1, 511, 512, 513, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3_333_333].map((size) =>
  randomBytes(size),
);
const archive = rawTar(contents.map((content, n) => ({ name: String(n), content })));

describe("what was spooled", () => {
  test.for([
    ["in small pieces", () => inPieces(archive, 1000)],
    ["in one piece", () => inPieces(archive, archive.length)],
    ["in pieces of a block", () => inPieces(archive, 1 << 20)],
    ["compressed", () => inPieces(gzipSync(archive, { level: 1 }), 70_000)],
  ] as const)("%s can be read from anywhere, any number of times", async ([, stream]) => {
    await using spooled = await spool(stream(), scratch);
    expect(await readdir(scratch)).toEqual([]);
    for (const [n, content] of [...contents.entries(), ...contents.entries()].reverse()) {
      const entry = spooled.index.file(String(n))!;
      expect((await gathered(spooled.read(entry))).equals(content), `content ${n}`).toBe(true);
    }
  });

  test("is read in part, and by many at once", async () => {
    await using spooled = await spool(inPieces(archive, 65_536), scratch);
    const entry = spooled.index.file("8")!;
    const parts = await Promise.all(
      [1, 1000, 2_000_000].map((size) => gathered(spooled.read({ offset: entry.offset + 7, size }))),
    );
    for (const part of parts) expect(part.equals(contents[8]!.subarray(7, 7 + part.length))).toBe(true);
    for await (const piece of spooled.read(entry)) {
      expect(piece.length).toBeLessThanOrEqual(1 << 20);
      break;
    }
  });
});

test("an abort ends it with its reason, and leaves nothing", async () => {
  const controller = new AbortController();
  async function* stream() {
    yield archive.subarray(0, 100_000);
    controller.abort(new Error("enough"));
    yield archive.subarray(100_000);
  }
  await expect(spool(stream(), scratch, controller.signal)).rejects.toThrow("enough");
  expect(await readdir(scratch)).toEqual([]);
});

test("what reading the archive throws comes through, and the stream is closed", async () => {
  let closed = false;
  async function* stream() {
    try {
      yield archive.subarray(0, 5000);
      throw new Error("connection lost");
    } finally {
      closed = true;
    }
  }
  await expect(spool(stream(), scratch)).rejects.toThrow("connection lost");
  expect(closed).toBe(true);
});

test.skipIf(lacking("root", "mounts"))("a full disk is told in one line, and leaves nothing", async () => {
  const small = await mkdtemp(join(scratch, "small-"));
  await output("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", small]);
  try {
    await expect(spool(inPieces(archive, 65_536), small)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/^cannot keep the archive in .*ENOSPC/),
    });
    expect(await readdir(small)).toEqual([]);
  } finally {
    await output("umount", [small]);
    await rm(small, { recursive: true });
  }
});
