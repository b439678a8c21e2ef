import { setImmediate } from "node:timers/promises";

const sliceMs = 4;

/** Reads a synchronous walk without ever keeping the event loop for more than some milliseconds at a time. */
export async function* paced<T>(items: Iterable<T>): AsyncGenerator<T, void, undefined> {
  let sliceEnds = performance.now() + sliceMs;
  for (const item of items) {
    if (performance.now() >= sliceEnds) {
      await setImmediate();
      sliceEnds = performance.now() + sliceMs;
    }
    yield item;
  }
}
