import { constants } from "node:os";
import { Cancelled } from "../../spec/index.js";
import { insideNamespace, mayMount, namespaceFlags, runInside } from "./namespace.js";
import { Page } from "./page.js";
import { openPlace } from "./place.js";
import { walkThrough } from "./tour.js";

/**
 * Runs the tour on standard output, with colour on a terminal. As an ordinary user it starts itself again inside a
 * user namespace; where there is none it goes on with `vfs`.
 *
 * @param archive an image to use instead of the sample
 * @returns exit status: 0, or 128 and the number of the signal that ended it
 * @throws what loading the archive throws
 */
export async function runTour(archive?: string): Promise<number> {
  const may = await mayMount();
  const flags = may || insideNamespace() ? undefined : await namespaceFlags();
  if (flags !== undefined) return runInside(flags);
  const { signal, number, end } = stopSignals();
  try {
    await using place = await openPlace(may);
    signal.throwIfAborted();
    await walkThrough(place, new Page(process.stdout, colour()), archive, signal);
    return 0;
  } catch (error) {
    if (signal.aborted) return 128 + number();
    throw error;
  } finally {
    end();
  }
}

/** @see https://no-color.org */
function colour(): boolean {
  return process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb";
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Fires at the first signal, and when nobody reads the output any more; what is mounted is given back then. */
function stopSignals() {
  const controller = new AbortController();
  let first: NodeJS.Signals = "SIGPIPE";
  const stop = (signal: NodeJS.Signals) => {
    if (!controller.signal.aborted) first = signal;
    controller.abort(new Cancelled(`interrupted by ${signal}`));
  };
  const broken = () => stop("SIGPIPE");
  for (const signal of signals) process.on(signal, stop);
  process.stdout.on("error", broken);
  return {
    signal: controller.signal,
    number: () => constants.signals[first],
    end: () => {
      for (const signal of signals) process.off(signal, stop);
    },
  };
}
