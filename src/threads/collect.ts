import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let gc: (() => void) | undefined;

/** What was there after the last collection: rooms of this thread, and blocks it made that are at other threads now. */
let lasting = 0;

/**
 * Collects all garbage of the calling thread where much memory outside of its heap hangs on it. By itself V8 lets 64 MB
 * of that gather, in each thread; collecting takes about ten milliseconds.
 */
export function collectBuffers(): void {
  const { arrayBuffers } = process.memoryUsage();
  // V8 frees beside the thread: what was counted right after a collection may be gone by now.
  lasting = Math.min(lasting, arrayBuffers);
  if (arrayBuffers - lasting <= most) return;
  collect();
  lasting = process.memoryUsage().arrayBuffers;
}

/** More than a task leaves of itself. */
const most = 8 << 20;

function collect(): void {
  if (!gc) {
    // Seen by contexts that are made from now on: nobody else gets it.
    setFlagsFromString("--expose-gc");
    gc = runInNewContext("gc") as () => void;
  }
  gc();
}
