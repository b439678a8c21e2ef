import { insideNamespace, may, namespaceFlags, runInside } from "./namespace.js";
import { Page } from "./page.js";
import { openPlace } from "./place.js";
import { walkThrough } from "./tour.js";

export interface TourOptions {
  /** An image to use instead of the sample: a docker archive or OCI layout. */
  readonly archive?: string;
  /** `vfs`, where `overlay2` would be taken if it works. */
  readonly driver?: string;
  /** Fires when the tour is to stop and to clean up. */
  readonly signal: AbortSignal;
}

/**
 * Runs the tour on standard output, with colour on a terminal. As an ordinary user it starts itself again inside a
 * user namespace; where there is none it goes on with `vfs`.
 *
 * @returns exit status: 0, or what the tour inside the namespace ended with
 * @throws what loading the archive throws; the reason of `signal`
 */
export async function runTour({ archive, driver, signal }: TourOptions): Promise<number> {
  const mayMount = await may("mount");
  const flags = mayMount || driver === "vfs" || insideNamespace() ? undefined : await namespaceFlags();
  if (flags !== undefined) return runInside(flags, signal);
  const reader = new AbortController();
  const gone = (error: Error) => reader.abort(error);
  process.stdout.on("error", gone); // for good: what was written before may fail late
  await using place = await openPlace(mayMount, driver);
  const page = new Page(process.stdout, colour());
  await walkThrough(place, page, archive, AbortSignal.any([signal, reader.signal]));
  return 0;
}

/** @see https://no-color.org */
function colour(): boolean {
  return process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb";
}
