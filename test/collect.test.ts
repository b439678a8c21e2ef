import { writeFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Layerkitd, layerkitMain } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { rawImage } from "./oracle/raw-image.js";
import { rawTar } from "./oracle/raw-tar.js";
import { run } from "./oracle/run.js";
import { loopDisk } from "./oracle/scratch.js";

const skip = lacking("root", "mounts", "loop", "docker 28");
const mebi = 1 << 20;

/** Of so many MiB, which nothing else has. */
function image(name: string, mebibytes: number, labels = {}): Buffer {
  const layer = rawTar([{ name, content: Buffer.alloc(mebibytes * mebi, name) }]);
  const plain = { architecture: "amd64", os: "linux", config: { Labels: labels } };
  const bare = rawImage({ tag: name, layers: [layer] });
  const id = /sha256:[0-9a-f]{64}/.exec(bare.toString("latin1"))![0];
  const rootfs = { type: "layers", diff_ids: [id] };
  return rawImage({ tag: name, layers: [layer], config: JSON.stringify({ ...plain, rootfs }) });
}

async function load(daemon: Layerkitd, input: Buffer): Promise<void> {
  expect(await daemon.tryDocker(["load"], { input })).toMatchObject({ status: 0 });
}

/** Resolves when the daemon has said it; what it says comes when the thing is done. */
async function said(daemon: Layerkitd, words: RegExp): Promise<void> {
  await expect.poll(() => daemon.log, { timeout: 20_000, interval: 20 }).toMatch(words);
}

async function names(daemon: Layerkitd): Promise<string[]> {
  return (await daemon.docker("images", "--format", "{{.Repository}}:{{.Tag}}")).split("\n").sort();
}

describe.skipIf(skip)("the collector of a daemon", () => {
  test("keeps the root below a size, and what is used, pinned or young", { timeout: 60_000 }, async () => {
    await using disk = await loopDisk("ext4", "500M");
    const root = join(disk.path, "root");
    const config = join(disk.path, "daemon.json");
    const layerkit = (...args: string[]) => run(process.execPath, [layerkitMain, "--root", root, ...args]);
    const limits = (given: Record<string, unknown>) => writeFileSync(config, JSON.stringify(given));
    limits({});
    await using daemon = await Layerkitd.start(root, ["--config-file", config]);
    for (const name of ["used:1", "again:1", "named:1", "oldest:1", "older:1"]) await load(daemon, image(name, 8));
    await load(daemon, image("labelled:1", 8, { "layerkit.pin": "yes" }));
    await load(daemon, image("untagged:1", 8));
    const id = await daemon.docker("images", "-q", "--no-trunc", "untagged:1");
    await daemon.docker("tag", "used:1", "untagged:1");
    await daemon.docker("create", "--network", "none", "used:1", "x");
    // Used once more, by a container that is gone again.
    await daemon.docker("create", "--network", "none", "--name", "gone", "again:1", "x");
    await daemon.docker("rm", "gone");
    expect(await layerkit("pin", "nothing")).toMatchObject({
      status: 1,
      stderr: "layerkit: No such image: nothing:latest\n",
    });
    expect(await layerkit("pin", "named:1")).toMatchObject({ status: 0, stdout: "named:1\n" });
    expect(await layerkit("pin")).toMatchObject({ stdout: "named:1\n" });

    limits({ "gc-keep-storage": "44m" });
    process.kill(daemon.pid, "SIGHUP");
    await said(daemon, /and nothing more can be collected/);
    expect(daemon.log).not.toMatch(/collected image/);

    limits({ "gc-keep-storage": "44m", "gc-min-age": "0s" });
    process.kill(daemon.pid, "SIGHUP");
    await said(daemon, new RegExp(`collected image ${id.slice(7, 19)}[\\s\\S]*collected image oldest:1`));
    expect(await names(daemon)).toEqual(["again:1", "labelled:1", "named:1", "older:1", "untagged:1", "used:1"]);
    // Whole seconds: up to now would leave out what happened in this one.
    const until = String(Math.floor(Date.now() / 1000) + 1);
    const filters = ["--since", "1m", "--until", until, "--filter", "event=collect"];
    expect(await daemon.docker("events", ...filters)).toMatch(
      /image collect sha256:[0-9a-f]{64} \(freed=8\d+, lastUsed=\S+, name=oldest:1\)/,
    );

    expect(await layerkit("unpin", "named:1")).toMatchObject({ status: 0 });
    limits({ "gc-keep-storage": "1m", "gc-min-age": "0s" });
    process.kill(daemon.pid, "SIGHUP");
    await said(daemon, /collected image named:1[\s\S]*collected image older:1[\s\S]*collected image again:1/);
    await said(daemon, /bytes of 1048576, and nothing more can be collected/);
    expect(await names(daemon)).toEqual(["labelled:1", "untagged:1", "used:1"]);
  });

  test("knows what was used before there was a limit, and before it started", { timeout: 60_000 }, async () => {
    await using disk = await loopDisk("ext4", "200M");
    const root = join(disk.path, "root");
    {
      await using daemon = await Layerkitd.start(root);
      for (const name of ["used:1", "idle:1"]) await load(daemon, image(name, 8));
      await daemon.docker("create", "--network", "none", "--name", "gone", "used:1", "x");
      await daemon.docker("rm", "gone");
    }
    const config = join(disk.path, "daemon.json");
    writeFileSync(config, JSON.stringify({ "gc-keep-storage": "14m", "gc-min-age": "0s" }));
    await using daemon = await Layerkitd.start(root, ["--config-file", config]);
    await said(daemon, /collected image idle:1/);
    expect(await names(daemon)).toEqual(["used:1"]);
  });

  test("keeps the disk below a percentage, after what is loaded too", { timeout: 60_000 }, async () => {
    await using disk = await loopDisk("ext4", "200M");
    const root = join(disk.path, "root");
    const config = join(disk.path, "daemon.json");
    writeFileSync(config, JSON.stringify({ "gc-disk-percent": 50, "gc-min-age": "0s" }));
    await using daemon = await Layerkitd.start(root, ["--config-file", config]);
    for (const name of ["a:1", "b:1", "c:1"]) await load(daemon, image(name, 40));
    await said(daemon, /collected image a:1.* disk is \d\d% full, more than 50%/);
    expect((await names(daemon)).at(-1)).toBe("c:1");
    const { blocks, bfree, bavail } = await statfs(root);
    expect((blocks - bfree) / (blocks - bfree + bavail)).toBeLessThanOrEqual(0.5);
  });
});
