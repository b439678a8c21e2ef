import { describe, expect, test } from "vitest";
import { lacking } from "../oracle/programs.js";
import { playKills } from "./kills.js";
import { playPowerCuts } from "./power.js";

/** The short form of `npm run torture -- kill power`. */
const timeout = 120_000;
const skip = lacking("root", "mounts", "loop", "mkfs.xfs", "mkfs.ext4");

describe.skipIf(skip)("nothing acknowledged is lost, nothing half is listed, nothing is left over", () => {
  test("when the daemon is killed in the middle of its work", { timeout }, async () => {
    expect((await playKills({ rounds: 2, operations: 10 })).losses).toEqual([]);
  });

  test.for(["ext4", "xfs"] as const)("when the power is cut, on %s", { timeout }, async (type) => {
    expect((await playPowerCuts({ rounds: 2, operations: 10 }, [type])).losses).toEqual([]);
  });
});
