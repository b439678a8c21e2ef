import { request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

/** How soon a daemon answered `_ping`, in milliseconds. */
export interface Pings {
  readonly median: string;
  readonly worst: string;
  readonly count: number;
}

/** Asks the daemon for `_ping`, one after the other, until `work` has ended. @throws what `work` throws */
export async function pingsUntil(socketPath: string, work: Promise<unknown>): Promise<Pings> {
  const times: number[] = [];
  let running = true;
  const finished = work.finally(() => {
    running = false;
  });
  while (running) {
    const start = performance.now();
    await ping(socketPath);
    times.push(performance.now() - start);
    await Promise.race([delay(20), finished]);
  }
  await finished;
  times.sort((a, b) => a - b);
  const shown = (ms = Number.NaN) => ms.toFixed(1);
  return { median: shown(times[times.length >> 1]), worst: shown(times.at(-1)), count: times.length };
}

function ping(socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path: "/_ping" }, (response) => response.resume().once("end", resolve));
    call.once("error", reject).end();
  });
}
