import { expect, test } from "vitest";
import { nowNs } from "../spec/index.js";
import { parseTimestamp } from "./timestamp.js";

test("seconds with and without a fraction, RFC 3339 and its beginnings", () => {
  expect(parseTimestamp("1")).toBe(1_000_000_000n);
  expect(parseTimestamp("1795293918.158249997")).toBe(1_795_293_918_158_249_997n);
  expect(parseTimestamp("1970-01-02")).toBe(86_400_000_000_000n);
  expect(parseTimestamp("1970-01-01T00:00:01.5+00:00")).toBe(1_500_000_000n);
  expect(parseTimestamp("1970-01-01T01:00")).toBe(3_600_000_000_000n);
});

test("a duration counts back from now", () => {
  const ago = nowNs() - parseTimestamp("1h30m");
  expect(Number(ago) / 1e9).toBeGreaterThan(5399);
  expect(Number(ago) / 1e9).toBeLessThan(5401);
});

test("anything else is refused", () => {
  expect(() => parseTimestamp("zz")).toThrow('failed to parse value as time or duration: "zz"');
});
