import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { output } from "../oracle/run.js";
import { loopDisk, type Scratch } from "../oracle/scratch.js";
import { anyDriver, workUntilStruck } from "./disaster.js";
import { Ledger } from "./ledger.js";
import { type Bounds, type Outcome, playRounds } from "./rounds.js";
import { verify } from "./verify.js";

type DiskType = "ext4" | "xfs";

/**
 * Cuts the power at random moments: the data root is on a disk of its own, a file on an XFS, and that file is cloned
 * in one step while operations run. What had reached the disk is in the clone; what was in memory is not. The clone is
 * mounted and looked at, and work goes on there.
 */
export async function playPowerCuts(bounds: Bounds, types: readonly DiskType[] = ["ext4", "xfs"]): Promise<Outcome> {
  await using host = await loopDisk("xfs", "4G");
  const place = await PowerTest.make(host);
  try {
    return await playRounds("power cut", bounds, async (number) => {
      if (number % 8 === 1) await place.newDisk(types[(number >> 3) % types.length] ?? "ext4");
      return place.round(bounds.operations);
    });
  } finally {
    await place.umount();
  }
}

class PowerTest {
  readonly #disk: string;
  readonly #cut: string;
  readonly #mounted: string;
  #ledger = Ledger.of(new Map());
  #driver = anyDriver();

  private constructor(directory: string) {
    this.#disk = join(directory, "disk");
    this.#cut = join(directory, "cut");
    this.#mounted = join(directory, "mounted");
  }

  static async make({ path }: Scratch): Promise<PowerTest> {
    const place = new PowerTest(path);
    await mkdir(place.#mounted);
    return place;
  }

  /** In place of the one before. */
  async newDisk(type: DiskType): Promise<void> {
    await this.umount();
    await rm(this.#disk, { force: true });
    await output("truncate", ["-s", "1G", this.#disk]);
    await output(`mkfs.${type}`, ["-q", this.#disk]);
    await this.#mount();
    this.#ledger = Ledger.of(new Map());
    this.#driver = anyDriver();
  }

  async round(operations = 40): Promise<Outcome> {
    const root = join(this.#mounted, "root");
    const driver = this.#driver;
    const unrest = unsettle(this.#mounted);
    const cut = () => execFileSync("cp", ["--reflink=always", this.#disk, this.#cut]);
    const known = await workUntilStruck({ root, driver }, this.#ledger, operations, cut).finally(() => unrest.end());
    await this.umount();
    await rename(this.#cut, this.#disk);
    await this.#mount();
    const { losses, found } = await verify({ root, driver }, known);
    this.#ledger = found;
    return { losses, operations: known.operations };
  }

  async #mount(): Promise<void> {
    await output("mount", ["-o", "loop", this.#disk, this.#mounted]);
  }

  async umount(): Promise<void> {
    await output("umount", ["--lazy", this.#mounted]).catch(() => {});
  }
}

/**
 * Makes the file system write its journal every few milliseconds. By itself it would do so every five seconds or so,
 * and then most of what is cut off would be just as it was before: so one sees files whose names have reached the disk
 * and whose content has not.
 */
function unsettle(directory: string): { end(): Promise<void> } {
  let over = false;
  const writing = (async () => {
    const file = await open(join(directory, "unrest"), "w");
    while (!over) {
      await file.write("x");
      await file.sync();
      await delay(randomInt(1, 40));
    }
    await file.close();
  })();
  return {
    end: async () => {
      over = true;
      await writing;
    },
  };
}
