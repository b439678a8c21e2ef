import { setImmediate } from "node:timers/promises";

const sliceMs = 4;

/** Reads a synchronous walk without ever keeping the event loop for more than some milliseconds at a time. */
export async function* paced<T>(items: Iterable<T>): AsyncGenerator<T, void, undefined> {
  const rest = pauses();
  for (const item of items) {
    const pause = rest();
    if (pause) await pause;
    yield item;
  }
}

/** For a loop, that would pay more for `paced` than for its own work: what it is to wait for, when it has run long. */
export function pauses(): () => Promise<void> | undefined {
  let sliceEnds = performance.now() + sliceMs;
  return () => {
    if (performance.now() < sliceEnds) return undefined;
    return setImmediate().then(() => {
      sliceEnds = performance.now() + sliceMs;
    });
  };
}
