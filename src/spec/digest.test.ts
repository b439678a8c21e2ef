import { describe, expect, test } from "vitest";
import { chainID, type DiffID, Digester, DigestMismatch, emptyDiffID, hexOf, parseDigest, sha256 } from "./index.js";

const a = `sha256:${"a".repeat(64)}` as DiffID;
const b = `sha256:${"b".repeat(64)}` as DiffID;

test("the digest of the empty layer is that of 1024 NUL bytes", () => {
  expect(sha256(new Uint8Array(1024))).toBe(emptyDiffID);
});

test("a digest made piece by piece is that of the whole", () => {
  const digester = new Digester();
  for (const piece of ["foo", "", "bar"]) digester.update(Buffer.from(piece));
  expect(digester.digest()).toBe("sha256:c3ab8ff13720e8ad9047dd39466b3c8974e592c2fa383d4a3960714caef0c4f2");
});

describe("parseDigest", () => {
  test("takes a digest with white space around it, as files end in newlines", () => {
    expect(parseDigest(`${a}\n`)).toBe(a);
    expect(hexOf(parseDigest(a))).toBe("a".repeat(64));
  });

  test.for([
    "",
    "sha256:",
    "a".repeat(64),
    `sha256:${"a".repeat(63)}`,
    `sha256:${"a".repeat(65)}`,
    `sha256:${"A".repeat(64)}`,
    `sha256:${"g".repeat(64)}`,
    `sha512:${"a".repeat(128)}`,
    `sha256:${"a".repeat(32)}\n${"a".repeat(31)}`,
    `${a} ${a}`,
  ])("refuses %j", (text) => {
    expect(() => parseDigest(text)).toThrow(/^invalid digest /);
  });

  test("a message about a very long text stays short", () => {
    expect(() => parseDigest("x".repeat(1e6))).toThrow(/^.{100,200}$/);
  });
});

test("the ChainID of one layer is its DiffID, of more the digest of the text of both", () => {
  expect(chainID([a])).toBe(a);
  expect(chainID([a, b])).toBe(sha256(`${a} ${b}`));
  expect(chainID([a, b, a])).toBe(sha256(`${sha256(`${a} ${b}`)} ${a}`));
});

test("a mismatch tells what was expected and what was read", () => {
  expect(new DigestMismatch("layer", a, b)).toMatchObject({
    code: "data-loss",
    message: `layer: expected ${a}, read ${b}`,
  });
});
