import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { BadRegistry } from "../oracle/bad-registry.js";
import { Layerkitd } from "../oracle/layerkitd.js";
import type { Ledger } from "./ledger.js";
import { Lane } from "./workload.js";

export interface Root {
  readonly root: string;
  readonly driver: "overlay" | "overlay2";
}

/** overlay2, now and then overlay. */
export function anyDriver(): Root["driver"] {
  return randomInt(3) === 0 ? "overlay" : "overlay2";
}

const lanes = ["a", "b"];
/** Lanes of later rounds have other names. */
let generation = 0;

/**
 * Runs a daemon on the root and lets two lanes work with it, up to a moment that chance decides: while it starts, or in
 * the middle of anything. Then `strike`, and the daemon is killed.
 *
 * @param driver of the root
 * @param ledger what is there
 * @param most operations done before
 * @returns what had been acknowledged when it struck
 */
export async function workUntilStruck(
  { root, driver }: Root,
  ledger: Ledger,
  most: number,
  strike: () => void,
): Promise<Ledger> {
  await using registry = await BadRegistry.start();
  await using daemon = await Layerkitd.launch(root, ["--storage-driver", driver]);
  generation++;
  let struck: Ledger | undefined;
  const working = daemon.ready.then(async (isReady) => {
    if (!isReady && !struck) throw new Error(`layerkit serve on ${root} does not start: ${daemon.log}`);
    const all = lanes.map((name) => new Lane(`${name}${generation}`, { socket: daemon.socket, registry, ledger }));
    await Promise.all(all.map((lane) => lane.work(() => struck !== undefined)));
  });
  const moment = randomInt(8) === 0 ? delay(randomInt(1000)) : afterOperations(ledger, randomInt(1, most));
  await Promise.race([moment, working]);
  strike();
  struck = ledger.copy();
  daemon.kill();
  await working;
  return struck;
}

async function afterOperations(ledger: Ledger, count: number): Promise<void> {
  while (ledger.operations < count) await delay(5);
  await delay(randomInt(100));
}
