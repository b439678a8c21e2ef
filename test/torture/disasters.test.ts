import { describe, expect, test } from "vitest";
import { lacking } from "../oracle/programs.js";
import { playBadRegistries } from "./bad-registries.js";
import { playFullDisks } from "./full-disk.js";
import { playKills } from "./kills.js";
import { playPowerCuts } from "./power.js";
import { playRuns } from "./runs.js";

/** The short form of `npm run torture -- kill run power disk registry`. */
const timeout = 120_000;
const skip = lacking("root", "mounts", "loop", "mkfs.xfs", "mkfs.ext4");
const types = ["ext4", "xfs"] as const;

describe.skipIf(skip)("nothing acknowledged is lost, nothing half is listed, nothing is left over", () => {
  test("when the daemon is killed in the middle of its work", { timeout }, async () => {
    expect((await playKills({ rounds: 1, operations: 10 })).losses).toEqual([]);
  });

  test.skipIf(lacking("runc"))("when the daemon ends while containers run", { timeout }, async () => {
    expect((await playRuns({ rounds: 2, operations: 20 })).losses).toEqual([]);
  });

  test.for(types)("when the power is cut, on %s", { timeout }, async (type) => {
    expect((await playPowerCuts({ rounds: 1, operations: 12 }, [type])).losses).toEqual([]);
  });

  test.for(types)("when the disk is full, on %s", { timeout }, async (type) => {
    expect((await playFullDisks({ rounds: 3 }, [type])).losses).toEqual([]);
  });

  test("when the registry misbehaves", { timeout }, async () => {
    expect((await playBadRegistries({ rounds: 3 })).losses).toEqual([]);
  });
});
