import { expect, test } from "vitest";
import { detachKeys, untilKeys } from "./detach-keys.js";

test.for([
  ["ctrl-p,ctrl-q", [16, 17]],
  ["a", [97]],
  ["ctrl-@,CTRL-[,ctrl-_,,", undefined],
  ["ctrl-@,CTRL-[,ctrl-_", [0, 27, 31]],
  ["ctrl-1", undefined],
  ["ab", undefined],
] as const)("the keys %s are %j", ([text, bytes]) => {
  if (bytes === undefined) expect(() => detachKeys(text)).toThrow("is no key");
  else expect([...detachKeys(text)]).toEqual(bytes);
});

/** What gets through of what is typed in these pieces, and whether the keys were among it. */
async function typed(...pieces: string[]): Promise<[passed: string, left: boolean]> {
  let passed = "";
  async function* input() {
    for (const piece of pieces) yield Buffer.from(piece);
  }
  const reading = untilKeys(input(), Buffer.from("pq"));
  for (;;) {
    const { value, done } = await reading.next();
    if (done) return [passed, value];
    passed += Buffer.from(value as Uint8Array);
  }
}

test.for([
  [["abc"], "abc", false],
  [["apq", "never"], "a", true],
  [["a", "p", "q"], "a", true],
  [["p", "p", "q"], "p", true],
  [["papb"], "papb", false],
  [["ap"], "ap", false],
] as const)("of %j %s gets through, left: %s", async ([pieces, passed, left]) => {
  expect(await typed(...pieces)).toEqual([passed, left]);
});
