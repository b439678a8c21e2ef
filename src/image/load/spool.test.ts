import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { bytes, gathered, inPieces } from "../../../test/oracle/image-stores.js";
import { lacking } from "../../../test/oracle/programs.js";
import { output } from "../../../test/oracle/run.js";
import { type Place, Spool } from "./spool.js";

const scratch = await mkdtemp(join(tmpdir(), "spool-"));
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Contents around the sizes of blocks. */
const contents = [0, 1, 511, 512, 513, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3_333_333].map((size) =>
  randomBytes(size),
);

async function kept(spool: Spool, pieces: number): Promise<Place[]> {
  const places: Place[] = [];
  for (const content of contents) places.push(await spool.keep(inPieces(content, pieces)));
  return places;
}

describe("what was kept", () => {
  test.for([1000, 1 << 20, 4_000_000])(
    "in pieces of %i can be read from anywhere, any number of times",
    async (size) => {
      await using spool = await Spool.open(scratch);
      const places = await kept(spool, size);
      expect(await readdir(scratch)).toEqual([]);
      for (const [n, place] of [...places.entries(), ...places.entries()].reverse()) {
        expect((await gathered(spool.read(place))).equals(contents[n]!), `content ${n}`).toBe(true);
      }
    },
  );

  test("is read in part, by many at once, and more is kept afterwards", async () => {
    await using spool = await Spool.open(scratch);
    const { offset, size } = (await kept(spool, 65_536))[8]!;
    const parts = await Promise.all(
      [1, 1000, 2_000_000].map((length) => gathered(spool.read({ offset: offset + 7, size: length }))),
    );
    for (const part of parts) expect(part.equals(contents[8]!.subarray(7, 7 + part.length))).toBe(true);
    for await (const piece of spool.read({ offset, size })) {
      expect(piece.length).toBeLessThanOrEqual(1 << 20);
      break;
    }
    const more = await spool.keep(bytes(contents[3]!));
    expect((await gathered(spool.read(more))).equals(contents[3]!)).toBe(true);
    expect((await gathered(spool.read({ offset, size }))).equals(contents[8]!)).toBe(true);
  });
});

test("what a stream throws comes through, and the stream is closed", async () => {
  let closed = false;
  async function* stream() {
    try {
      yield contents[4]!;
      throw new Error("connection lost");
    } finally {
      closed = true;
    }
  }
  await using spool = await Spool.open(scratch);
  await expect(spool.keep(stream())).rejects.toThrow("connection lost");
  expect(closed).toBe(true);
});

test.skipIf(lacking("root", "mounts"))("a full disk is told in one line, and leaves nothing", async () => {
  const small = await mkdtemp(join(scratch, "small-"));
  await output("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", small]);
  try {
    await using spool = await Spool.open(small);
    await expect(kept(spool, 65_536)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/^cannot keep the archive in .*ENOSPC/),
    });
    expect(await readdir(small)).toEqual([]);
  } finally {
    await output("umount", ["-l", small]);
    await rm(small, { recursive: true });
  }
});
