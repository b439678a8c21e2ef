import { expect, test } from "vitest";
import { sha256, verified } from "./index.js";

async function* stream(...pieces: readonly string[]) {
  for (const piece of pieces) yield Buffer.from(piece);
}

async function read(pieces: readonly string[], blob: { digest: ReturnType<typeof sha256>; size: number }) {
  let text = "";
  for await (const piece of verified(stream(...pieces), blob, "blob x")) text += Buffer.from(piece).toString();
  return text;
}

const blob = { digest: sha256("foobar"), size: 6 };

test("gives what was promised, in any pieces", async () => {
  for (const pieces of [["foobar"], ["foo", "", "bar"], [..."foobar"]]) expect(await read(pieces, blob)).toBe("foobar");
  expect(await read([], { digest: sha256(""), size: 0 })).toBe("");
});

test.for([
  ["other bytes", ["foobaz"], /^blob x: expected sha256:c3ab8ff1\w+, read sha256:\w+$/],
  ["fewer bytes", ["foo"], /^blob x: 3 bytes, it should have 6$/],
  ["more bytes", ["foobar", "baz"], /^blob x: more than the 6 bytes it should have$/],
] as const)("%s are an error", async ([, pieces, why]) => {
  await expect(read(pieces, blob)).rejects.toMatchObject({ code: "data-loss", message: expect.stringMatching(why) });
});

test("what is too much is not read to its end", async () => {
  let given = 0;
  async function* endless() {
    for (;;) {
      given++;
      yield Buffer.from("foo");
    }
  }
  await expect(
    (async () => {
      for await (const _ of verified(endless(), blob, "x"));
    })(),
  ).rejects.toThrow("more than");
  expect(given).toBe(3);
});
