import { availableParallelism } from "node:os";
import { paced } from "../../driver/index.js";
import { Threads } from "../../threads/index.js";
import type { Place, WalkJob } from "./jobs.js";
import { Walk, type Walked } from "./walk.js";

const size = availableParallelism();
const threads = new Threads<WalkJob>(new URL("./walk-worker.js", import.meta.url), size);

/** A thread takes as long to start, and a root is walked meanwhile that is not large. */
const patienceMs = 50;
/** Places for one message to a thread. */
const batch = 8;

export interface WalkAllOptions {
  readonly reflinks?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Told how many entries have been looked at so far, now and then. */
  readonly onEntries?: ((seen: number) => void) | undefined;
}

/**
 * Walks many places: for a moment right here, in slices that leave the event loop free, and what is left then in
 * threads. In their order.
 */
export async function walkAll(places: readonly Place[], options: WalkAllOptions = {}): Promise<Walked[]> {
  const { reflinks = false, signal, onEntries } = options;
  const found: Walked[] = [];
  const end = performance.now() + patienceMs;
  for await (const place of paced(places)) {
    const walked = walkedBy(place, reflinks, end);
    if (!walked) break;
    found.push(walked);
  }
  const left = places.slice(found.length);
  const batches = Array.from({ length: Math.ceil(left.length / batch) }, (_, at) =>
    left.slice(at * batch, (at + 1) * batch),
  );
  const seen = batches.map(() => 0);
  const later = batches.map((places, at) =>
    threads.run<Walked[]>(
      { places, reflinks },
      {
        signal,
        onBytes: (entries) => {
          seen[at] = entries;
          onEntries?.(seen.reduce((sum, each) => sum + each, 0));
        },
      },
    ),
  );
  return [...found, ...(await Promise.all(later)).flat()];
}

/** @returns undefined when it would take longer */
function walkedBy({ path, stops }: Place, reflinks: boolean, end: number): Walked | undefined {
  const walk = new Walk({ stops: new Set(stops), reflinks });
  for (const _ of walk.run(path)) if (performance.now() > end) return undefined;
  return walk.found;
}
