import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { lacking } from "../../../test/oracle/programs.js";
import { output, run } from "../../../test/oracle/run.js";
import { loopDisk, type Scratch } from "../../../test/oracle/scratch.js";
import { randomID } from "../../spec/index.js";
import { Overlay2 } from "./overlay2.js";

const disk = lacking("root", "mounts", "loop", "mkfs.xfs") === undefined ? await withQuota() : undefined;
afterAll(() => disk?.[Symbol.asyncDispose]());
if (!disk) console.log("skipped here: no XFS with project quota (CONFIG_XFS_QUOTA)");

async function withQuota(): Promise<Scratch | undefined> {
  const made = await loopDisk("xfs", "512M");
  await output("umount", [made.path]);
  const image = join(made.path, "../image");
  if ((await run("mount", ["-o", "loop,pquota", image, made.path])).status === 0) return made;
  await made[Symbol.asyncDispose]();
  return undefined;
}

test.skipIf(!disk)("upstream's SetQuota: a container of 50 MiB takes 25, and not 50 more", async () => {
  const driver = await Overlay2.open(disk?.path ?? "", { storageOptions: ["overlay2.size=100M"] });
  const [base, own, given] = [randomID(), randomID(), randomID()];
  await driver.create(base);
  await driver.create(own, base, { storage: { size: "50M" } });
  await driver.create(given, base, { storage: {} });
  for (const [id, megabytes] of [
    [own, 50],
    [given, 100],
  ] as const) {
    await using mounted = await driver.mount(id);
    const write = (name: string, size: number) => writeFileSync(join(mounted.path, name), Buffer.alloc(size << 20));
    write("half", megabytes / 2);
    expect(() => write("more", megabytes)).toThrow(/EDQUOT|ENOSPC/);
  }
  await using mounted = await driver.mount(base);
  mkdirSync(join(mounted.path, "d"));
  writeFileSync(join(mounted.path, "d/unlimited"), Buffer.alloc(120 << 20));
});
