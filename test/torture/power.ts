import { join } from "node:path";
import { loopDisk, type Scratch } from "../oracle/scratch.js";
import { CuttableDisk } from "./cuttable-disk.js";
import { anyDriver, workUntilStruck } from "./disaster.js";
import { Ledger } from "./ledger.js";
import { type Bounds, type Outcome, playRounds } from "./rounds.js";
import { verify } from "./verify.js";

type DiskType = "ext4" | "xfs";

/**
 * Cuts the power at random moments while operations run. What reached the disk is looked at, and work goes on there.
 */
export async function playPowerCuts(bounds: Bounds, types: readonly DiskType[] = ["ext4", "xfs"]): Promise<Outcome> {
  await using host = await loopDisk("xfs", "4G");
  await using place = new PowerTest(host);
  return await playRounds("power cut", bounds, async (number) => {
    if (number % 8 === 1) await place.newDisk(types[(number >> 3) % types.length] ?? "ext4");
    return place.round(bounds.operations);
  });
}

class PowerTest implements AsyncDisposable {
  readonly #host: Scratch;
  #disk: CuttableDisk | undefined;
  #ledger = Ledger.of(new Map());
  #driver = anyDriver();

  constructor(host: Scratch) {
    this.#host = host;
  }

  /** In place of the one before. */
  async newDisk(type: DiskType): Promise<void> {
    await this[Symbol.asyncDispose]();
    this.#disk = await CuttableDisk.make(this.#host, type);
    this.#ledger = Ledger.of(new Map());
    this.#driver = anyDriver();
  }

  async round(operations = 40): Promise<Outcome> {
    const disk = this.#disk!;
    const place = { root: join(disk.path, "root"), driver: this.#driver };
    const unrest = disk.unsettle();
    const struck = workUntilStruck(place, this.#ledger, operations, () => disk.cut());
    const known = await struck.finally(() => unrest.end());
    await disk.powerUp();
    const { losses, found } = await verify(place, known);
    this.#ledger = found;
    return { losses, operations: known.operations };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#disk?.[Symbol.asyncDispose]();
  }
}
