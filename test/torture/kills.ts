import { randomInt } from "node:crypto";
import { join } from "node:path";
import { output } from "../oracle/run.js";
import { scratch } from "../oracle/scratch.js";
import { anyDriver, workUntilStruck } from "./disaster.js";
import { Ledger } from "./ledger.js";
import { type Bounds, type Outcome, playRounds } from "./rounds.js";
import { verify } from "./verify.js";

/** Kills the daemon at random moments of its work, again and again on one root, and looks at it each time. */
export async function playKills(bounds: Bounds): Promise<Outcome> {
  await using place = await scratch("/dev/shm");
  const root = join(place.path, "root");
  let ledger = Ledger.of(new Map());
  let driver = anyDriver();
  return await playRounds("kill", bounds, async () => {
    const known = await workUntilStruck({ root, driver }, ledger, bounds.operations ?? 40, () => {});
    const { losses, found } = await verify({ root, driver }, known);
    ledger = found;
    // A new root now and then: the old one grows.
    if (losses.length > 0 || randomInt(20) === 0) {
      await output("rm", ["-rf", root]);
      ledger = Ledger.of(new Map());
      driver = anyDriver();
    }
    return { losses, operations: known.operations };
  });
}
