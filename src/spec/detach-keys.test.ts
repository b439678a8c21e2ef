import { expect, test } from "vitest";
import { DetachKeys, detachKeys } from "./detach-keys.js";

test.for([
  ["ctrl-p,ctrl-q", [16, 17]],
  ["a", [97]],
  ["ctrl-@,CTRL-[,ctrl-_,,", undefined],
  ["ctrl-@,CTRL-[,ctrl-_,DEL", [0, 27, 31, 127]],
  ["ctrl-1", undefined],
  ["ab", undefined],
] as const)("the keys %s are %j", ([text, bytes]) => {
  if (bytes === undefined) expect(() => detachKeys(text)).toThrow(/^Unknown character: '/);
  else expect([...detachKeys(text)]).toEqual(bytes);
});

test.for([
  [["abc"], "abc", false],
  [["apq", "never"], "a", true],
  [["a", "p", "q"], "a", true],
  [["p", "p", "q"], "p", true],
  [["papb"], "papb", false],
  [["ap"], "ap", false],
] as const)("of %j %s gets through, found: %s", ([pieces, expected, left]) => {
  const keys = new DetachKeys(Buffer.from("pq"));
  let through = "";
  for (const piece of pieces) {
    const { passed, found } = keys.take(Buffer.from(piece));
    through += Buffer.from(passed).toString();
    if (found) return expect([through, found]).toEqual([expected, left]);
  }
  expect([through + Buffer.from(keys.rest()).toString(), false]).toEqual([expected, left]);
});
