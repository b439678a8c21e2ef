import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { cannotRun } from "./bundle.test.helper.js";
import { anticipateMove } from "./cgroup-move.js";

test.skipIf(cannotRun)("a move that is anticipated leaves this process where it is", async () => {
  const before = readFileSync("/proc/self/cgroup", "utf8");
  expect(await anticipateMove()).toBe(true);
  expect(readFileSync("/proc/self/cgroup", "utf8")).toBe(before);
});
