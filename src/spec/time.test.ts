import fc from "fast-check";
import { expect, test } from "vitest";
import { nowNs, parseRFC3339, rfc3339, rfc3339Local, zeroTime } from "./index.js";

const year1 = -62_135_596_800_000_000_000n;
const year9999 = 253_402_300_799_999_999_999n;
const times = fc.bigInt({ min: year1, max: year9999 });

test("every nanosecond from year 1 to 9999 comes back from its text", () => {
  fc.assert(
    fc.property(times, (ns) => {
      expect(parseRFC3339(rfc3339(ns))).toBe(ns);
    }),
  );
});

test("local time names the same instant", () => {
  fc.assert(
    fc.property(times, (ns) => {
      expect(parseRFC3339(rfc3339Local(ns))).toBe(ns);
    }),
  );
});

test.for([
  [0n, "1970-01-01T00:00:00Z"],
  [1n, "1970-01-01T00:00:00.000000001Z"],
  [-1n, "1969-12-31T23:59:59.999999999Z"],
  [1_500_000_000n, "1970-01-01T00:00:01.5Z"],
  [-1_000_000_000n, "1969-12-31T23:59:59Z"],
  [year1, zeroTime],
] as const)("%d is %s", ([ns, text]) => {
  expect(rfc3339(ns)).toBe(text);
});

test.for([
  ["2026-01-02T03:04:05+01:00", "2026-01-02T02:04:05Z"],
  ["2026-01-02t03:04:05.120z", "2026-01-02T03:04:05.12Z"],
  ["2026-01-02T03:04:05.1234567891Z", "2026-01-02T03:04:05.123456789Z"],
  ["2024-02-29T23:59:59.5-23:30", "2024-03-01T23:29:59.5Z"],
] as const)("%s is %s", ([text, same]) => {
  expect(rfc3339(parseRFC3339(text) ?? 0n)).toBe(same);
});

test.for([
  "",
  "2026-01-02",
  "2026-01-02T03:04:05",
  "2026-13-02T03:04:05Z",
  "2026-01-32T03:04:05Z",
  "2026-02-30T03:04:05Z",
  "2023-02-29T03:04:05Z",
  "2026-01-02T24:00:00Z",
  "2026-01-02T03:60:05Z",
  "2026-01-02T03:04:05+24:00",
  "now",
])("%j is no time", (text) => {
  expect(parseRFC3339(text)).toBeUndefined();
});

test("now is this very moment, and does not go back", () => {
  const [before, at, again, after] = [Date.now(), nowNs(), nowNs(), Date.now()];
  expect(Number(at / 1_000_000n)).toBeGreaterThanOrEqual(before - 5);
  expect(Number(again / 1_000_000n)).toBeLessThanOrEqual(after + 5);
  expect(again).toBeGreaterThanOrEqual(at);
});
