import { expect, test } from "vitest";
import { frames } from "./frames.js";

const frame = (stream: number, text: string) => {
  const head = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(text.length, 4);
  return Buffer.concat([head, Buffer.from(text)]);
};

/** What each stream carried, of bytes that come in pieces of a size. */
async function taken(bytes: Buffer, size: number): Promise<string[]> {
  const said = ["", "", ""];
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  for await (const { stream, bytes } of frames(pieces())) said[stream] += String(bytes);
  return said;
}

const whole = Buffer.concat([frame(1, "out\n"), frame(2, ""), frame(2, "err\n"), frame(1, "x".repeat(70_000))]);

test.for([1, 3, 8, 9, 1000, whole.length])(
  "frames are taken apart wherever pieces of %i bytes cut them",
  async (size) => {
    expect(await taken(whole, size)).toEqual(["", `out\n${"x".repeat(70_000)}`, "err\n"]);
  },
);

test.for([1, 7, 8, 11])("an end %i bytes into a frame is told", async (length) => {
  await expect(taken(frame(1, "some").subarray(0, length), 4)).rejects.toThrow("inside a frame");
});
