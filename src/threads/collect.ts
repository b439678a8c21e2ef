import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let gc: (() => void) | undefined;

/**
 * Collects all garbage of the calling thread where much memory outside of its heap hangs on it. By itself V8 lets 64 MB
 * of that gather, in each thread; collecting takes about ten milliseconds.
 */
export function collectBuffers(): void {
  if (process.memoryUsage().arrayBuffers > most) collect();
}

/** More than the rooms that a thread keeps for its work. */
const most = 8 << 20;

function collect(): void {
  if (!gc) {
    // Seen by contexts that are made from now on: nobody else gets it.
    setFlagsFromString("--expose-gc");
    gc = runInNewContext("gc") as () => void;
  }
  gc();
}
