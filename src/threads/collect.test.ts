import { test } from "vitest";
import { until } from "../../test/oracle/until.js";
import { collectBuffers } from "./collect.js";

/** Bytes that nobody holds any more; a page of each is written, so that they are there. */
function leave(bytes: number): void {
  for (let left = bytes; left > 0; left -= 1 << 20) new Uint8Array(1 << 20).fill(1, 0, 1);
}

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
