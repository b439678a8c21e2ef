import { expect, test } from "vitest";
import { moment } from "./moment.js";

test.for([
  [undefined, undefined],
  ["1700000000.5", "1700000000.5"],
  ["2026-11-21T20:56:45.000000001Z", "1795294605.000000001"],
  ["2026-11-21T21:56:45+01:00", "1795294605.000000000"],
  ["10m", "400.000"],
  ["5m30s", "670.000"],
  ["0s", "1000.000"],
  ["1500ms", "998.500"],
] as const)("%s is %s", ([text, seconds]) => expect(moment(text, 1_000_000)).toBe(seconds));

test.for(["yesterday", "10", "10x", "-5m"])("%s is seconds since 1970 or no time at all", (text) => {
  if (text === "10") expect(moment(text)).toBe("10");
  else expect(() => moment(text)).toThrow("is no time");
});
