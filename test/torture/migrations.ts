import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { layerkitMain } from "../oracle/layerkitd.js";
import { leftovers } from "../oracle/root-leftovers.js";
import { output } from "../oracle/run.js";
import { sampleArchive } from "../oracle/sample-image.js";
import { savedImages } from "../oracle/saved-images.js";
import { loopDisk } from "../oracle/scratch.js";
import { tarListing } from "../oracle/tar-listing.js";
import { CuttableDisk } from "./cuttable-disk.js";
import { type Bounds, type Outcome, playRounds } from "./rounds.js";

type Driver = "overlay2" | "overlay" | "vfs";
const drivers: readonly Driver[] = ["overlay2", "overlay", "vfs"];

/**
 * Changes the storage driver of a root again and again, to and fro, and at random moments kills each change or cuts the
 * power, until it gets through. Then everything must be there as before, with nothing left over; an operation is a
 * disaster that hit.
 */
export async function playMigrations(bounds: Bounds): Promise<Outcome> {
  await using host = await loopDisk("xfs", "4G");
  await using disk = await CuttableDisk.make(host, oneOf(["ext4", "xfs"]));
  const root = join(disk.path, "root");
  await fillRoot(disk.path, root);
  let driver: Driver = "overlay";
  const before = await inventory(disk.path, root, driver);
  return await playRounds("migrate", bounds, async () => {
    const to = oneOf(drivers.filter((name) => name !== driver));
    let operations = await struckUntilDone(disk, root, ["--to", to], () =>
      existsSync(join(root, "migration/old", driver)),
    );
    const end = oneOf(["--purge", "--undo"]);
    operations += await struckUntilDone(disk, root, [end], () => !existsSync(join(root, "migration")));
    if (end === "--purge") driver = to;
    const now = await inventory(disk.path, root, driver);
    const losses = Object.keys(before).filter((what) => before[what] !== now[what]);
    const left = await leftovers(root, driver);
    return { losses: [...losses.map((what) => `${what} differ with ${driver} after ${end}`), ...left], operations };
  });
}

/** @returns how many disasters it took */
async function struckUntilDone(
  disk: CuttableDisk,
  root: string,
  args: readonly string[],
  isDone: () => boolean,
): Promise<number> {
  let longestMs = 200 + Math.random() * 1300;
  for (let strikes = 0; ; strikes++) {
    const isCut = Math.random() < 0.5;
    const unrest = isCut ? disk.unsettle() : undefined;
    const child = spawn(process.execPath, [layerkitMain, "--root", root, "migrate", ...args], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (text) => {
      said += String(text);
    });
    const exit = once(child, "exit");
    const strike = () => {
      if (isCut) disk.cut();
      child.kill("SIGKILL");
    };
    const timer = setTimeout(strike, 100 + Math.random() * longestMs);
    const [status, signal] = await exit;
    clearTimeout(timer);
    await unrest?.end();
    if (signal === null && (status === 0 || isDone())) return strikes;
    if (signal === null) throw new Error(`migrate ${args.join(" ")}: ${said}`);
    if (isCut) await disk.powerUp();
    longestMs *= 1.3;
  }
}

async function fillRoot(disk: string, root: string): Promise<void> {
  const layerkit = (...args: string[]) =>
    output(process.execPath, [layerkitMain, "--root", root, "--storage-driver", "overlay", ...args]);
  await writeFile(join(disk, "sample.tar"), await sampleArchive("sample:1"));
  await layerkit("load", "-i", join(disk, "sample.tar"));
  await mkdir(join(disk, "new"));
  await writeFile(join(disk, "new/file"), "new\n".repeat(1000));
  for (const name of ["one", "two", "three"]) {
    await layerkit("create", "--name", name, "sample:1", "true");
    await layerkit("cp", join(disk, "new"), `${name}:/etc`);
  }
  await layerkit("commit", "one", "committed:1");
  await layerkit("create", "--name", "four", "committed:1", "true");
}

/** What must stay the same, by name. */
async function inventory(disk: string, root: string, driver: Driver): Promise<Record<string, string>> {
  const layerkit = (...args: string[]) =>
    output(process.execPath, [layerkitMain, "--root", root, "--storage-driver", driver, ...args]);
  const archive = join(disk, "saved.tar");
  await layerkit("save", "-o", archive, "sample:1", "committed:1");
  const exported = async (name: string) => {
    await layerkit("export", "-o", join(disk, `${name}.tar`), name);
    return tarListing(join(disk, `${name}.tar`));
  };
  const ids = async (...args: string[]) => (await layerkit(...args)).split("\n").sort().join("\n");
  return {
    images: await ids("images", "-q", "--no-trunc"),
    containers: await ids("ps", "-a", "-q", "--no-trunc"),
    layers: JSON.stringify(await savedImages(archive)),
    one: JSON.stringify(await exported("one")),
    four: JSON.stringify(await exported("four")),
    diff: await layerkit("diff", "two"),
  };
}

function oneOf<T>(all: readonly T[]): T {
  return all[Math.floor(Math.random() * all.length)]!;
}
