import { constants, type NodeGCPerformanceDetail, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../test/oracle/until.js";
import { collectBuffers } from "./collect.js";

/** Bytes that nobody holds any more; a page of each is written, so that they are there. */
function leave(bytes: number): void {
  for (let left = bytes; left > 0; left -= 1 << 20) new Uint8Array(1 << 20).fill(1, 0, 1);
}

/**
 * Node counts a block for the thread that made it until it is freed, wherever that is, and may be below nothing in a
 * process that has run other files: a huge number. These lift it.
 */
const ballast: Uint8Array[] = [];
beforeAll(() => {
  while (process.memoryUsage().arrayBuffers > 2 ** 40) ballast.push(new Uint8Array(64 << 20));
});
afterAll(() => void ballast.splice(0));

test("memory outside of the heap that nothing holds is given back", async () => {
  collectBuffers();
  const before = process.memoryUsage().arrayBuffers;
  // V8 may collect by itself meanwhile.
  await until(() => {
    leave(32 << 20);
    return process.memoryUsage().arrayBuffers > before + (16 << 20);
  });
  collectBuffers();
  // V8 frees it beside the thread.
  await until(() => process.memoryUsage().arrayBuffers < before + (8 << 20));
});

test("what is in use is looked through once, not after each task", async () => {
  const forced: PerformanceEntry[] = [];
  const observer = new PerformanceObserver((list) => forced.push(...list.getEntries().filter(isForced)));
  observer.observe({ entryTypes: ["gc"] });
  const held = new Uint8Array(64 << 20);
  collectBuffers();
  await until(() => forced.length === 1);
  for (let task = 0; task < 10; task++) collectBuffers();
  const more = new Uint8Array(64 << 20);
  collectBuffers();
  await until(() => forced.length > 1);
  observer.disconnect();
  expect([forced.length, held.length, more.length]).toEqual([2, 64 << 20, 64 << 20]);
});

function isForced(entry: PerformanceEntry): boolean {
  const { detail } = entry as PerformanceEntry & { detail: NodeGCPerformanceDetail };
  return detail.flags === constants.NODE_PERFORMANCE_GC_FLAGS_FORCED;
}
