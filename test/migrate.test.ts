import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Dockerd, type DockerdOptions } from "./oracle/dockerd.js";
import { layerkitMain } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { rawImage } from "./oracle/raw-image.js";
import { rawTar } from "./oracle/raw-tar.js";
import { leftovers } from "./oracle/root-leftovers.js";
import { output, type Ran, run } from "./oracle/run.js";
import { sampleArchive } from "./oracle/sample-image.js";
import { savedImages } from "./oracle/saved-images.js";
import { loopDisk, type Scratch } from "./oracle/scratch.js";
import { tarListing } from "./oracle/tar-listing.js";

const skip = lacking("root", "mounts", "loop", "dockerd", "docker", "containerd", "runc", "mkfs.ext4", "tar");

/** All that the drivers keep in different ways: links, devices, bits, whiteouts, opaque and replaced directories. */
const odd = rawImage({
  tag: "odd:1",
  layers: [
    rawTar([
      { name: "d/", type: "5", mode: 0o1755 },
      { name: "d/below", content: "below\n", mode: 0o600 },
      { name: "d/also", content: "also\n" },
      { name: "a", content: "one\n", mode: 0o4755 },
      { name: "b", type: "1", linkname: "a", mode: 0o4755 },
      { name: "gone", content: "gone\n" },
      { name: "file-then-dir", content: "file\n" },
      { name: "dir-then-file/", type: "5", mode: 0o755 },
      { name: "dir-then-file/inner", content: "inner\n" },
      { name: "soft", type: "2", linkname: "d/below" },
      { name: "fifo", type: "6", mode: 0o640 },
      { name: "null", type: "3", device: [1, 3], mode: 0o666 },
      { name: "o/", type: "5", mode: 0o700 },
      { name: "o/hidden", content: "hidden\n" },
    ]),
    rawTar([
      { name: "a", content: "one\n", mode: 0o755 },
      { name: ".wh.gone" },
      { name: "file-then-dir/", type: "5", mode: 0o711 },
      { name: "file-then-dir/x", content: "x\n", mode: 0o644 },
      { name: "dir-then-file", content: "now a file\n", mode: 0o644 },
      { name: "o/", type: "5", mode: 0o700 },
      { name: "o/.wh..wh..opq" },
      { name: "o/shown", content: "shown\n", mode: 0o644 },
      { name: "o/linked", type: "1", linkname: "o/shown", mode: 0o644 },
    ]),
    rawTar([
      { name: "d/", type: "5", mode: 0o1755 },
      { name: "d/.wh.also" },
      { name: "o/", type: "5", mode: 0o700 },
      { name: "o/.wh.shown" },
      { name: "big", content: "x".repeat(300_000), mode: 0o644 },
    ]),
  ],
});

const changes = `
set -e
echo changed > /etc/app.conf; rm /etc/os-release; rm /.dockerenv
rm -r /usr/share/greetings; mkdir /usr/share/greetings; echo new > /usr/share/greetings/new
mkdir -m 750 /made; echo one > /made/one; cp -l /made/one /made/two; mv /made /moved; echo more >> /etc/passwd
rm /etc/mtab; mkdir /etc/mtab; echo in > /etc/mtab/in
`;

/** What must be the same with any driver, by dockerd. */
async function seenBy(dockerd: Dockerd, disk: string) {
  const sorted = async (...args: string[]) => (await dockerd.docker(...args)).split("\n").filter(Boolean).sort();
  const archive = join(disk, "saved.tar");
  await dockerd.docker("save", "-o", archive, "sample:1", "odd:1", "committed:1");
  return {
    images: await sorted("images", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}"),
    containers: await sorted("ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.Image}}"),
    diffs: await Promise.all(["changed", "fresh", "odd"].map((name) => sorted("diff", name))),
    exports: await Promise.all(["changed", "fresh", "odd"].map((name) => exported(dockerd, name, disk))),
    saved: (await savedImages(archive)).sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

async function exported(dockerd: Dockerd, name: string, disk: string): Promise<string[]> {
  const file = join(disk, `${name}.tar`);
  await dockerd.docker("export", "-o", file, name);
  return await tarListing(file);
}

const layerkit = (root: string, ...args: string[]): Promise<Ran> =>
  run(process.execPath, [layerkitMain, "--root", root, ...args]);

describe.skipIf(skip)("migrate, judged by dockerd", () => {
  let disk: Scratch;
  let root: string;
  let before: Awaited<ReturnType<typeof seenBy>>;
  let inUse: Ran;

  beforeAll(async () => {
    disk = await loopDisk("ext4", "1G");
    root = join(disk.path, "root");
    await using dockerd = await Dockerd.start(root, { driver: "overlay" });
    await writeFile(join(disk.path, "sample.tar"), await sampleArchive("sample:1"));
    await writeFile(join(disk.path, "odd.tar"), odd);
    for (const name of ["sample", "odd"]) await dockerd.docker("load", "-i", join(disk.path, `${name}.tar`));
    await dockerd.docker("run", "--name", "changed", "--network", "none", "sample:1", "sh", "-c", changes);
    await dockerd.docker("commit", "changed", "committed:1");
    await dockerd.docker("create", "--name", "fresh", "--network", "none", "committed:1", "true");
    await dockerd.docker("create", "--name", "odd", "--network", "none", "odd:1", "true");
    before = await seenBy(dockerd, disk.path);
    inUse = await layerkit(root, "migrate", "--to", "overlay2");
  }, 120_000);

  afterAll(async () => disk?.[Symbol.asyncDispose]());

  async function served(driver: NonNullable<DockerdOptions["driver"]>, work: (dockerd: Dockerd) => Promise<void>) {
    await using dockerd = await Dockerd.start(root, { driver });
    await work(dockerd);
  }

  test("what is in the way is told in one line, and nothing is changed", { timeout: 60_000 }, async () => {
    expect(inUse).toMatchObject({ status: 1, stderr: expect.stringMatching(/^layerkit: .*running dockerd.*\n$/) });
    expect((await layerkit(root, "migrate", "--undo")).stderr).toMatch(/^layerkit: no migration of .* is kept/);
    expect((await layerkit(root, "migrate")).status).toBe(2);
    const plan = await layerkit(root, "migrate", "--to", "overlay2", "--dry-run");
    expect(plan).toMatchObject({ status: 0, stderr: "" });
    expect(plan.stdout).toMatch(/^From overlay to overlay2: 3 images, 8 layers, 3 containers\n.*\nCopied: 0B /);
    const { stderr } = await layerkit(root, "--storage-driver", "overlay2", "info");
    expect(stderr).toMatch(/3 images and 3 containers of the storage driver overlay are not shown/);

    const { bavail, bsize } = await statfs(disk.path);
    const filler = join(disk.path, "filler");
    await output("fallocate", ["-l", String(bavail * bsize - (200 << 10)), filler]);
    const full = await layerkit(root, "migrate", "--to", "overlay2");
    expect(full).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^layerkit: .* free, and about .* needed\n$/),
    });
    await rm(filler);
  });

  test("a backup has everything; going back is one command while nothing has changed", {
    timeout: 60_000,
  }, async () => {
    const backup = join(disk.path, "backup");
    expect(await layerkit(root, "migrate", "--to", "overlay2", "--backup", backup)).toMatchObject({
      status: 0,
      stderr: "",
    });
    expect((await readdir(backup)).sort()).toContain("overlay");
    expect((await layerkit(root, "migrate", "--to", "overlay")).stderr).toMatch(/--purge deletes it, --undo goes back/);
    expect(await layerkit(root, "migrate", "--undo")).toMatchObject({ status: 0, stderr: "" });
    expect(await leftovers(root, "overlay")).toEqual([]);
    await using dockerd = await Dockerd.start(backup, { driver: "overlay" });
    expect(await seenBy(dockerd, disk.path)).toEqual(before);
  });

  test("from overlay to overlay2, killed on the way, and back over vfs: nothing is lost", {
    timeout: 180_000,
  }, async () => {
    for (const ms of [300, 500, 900]) await killedAfter(root, ms, "migrate", "--to", "overlay2");
    const there = await finished(root, "overlay2");
    expect(there).toMatchObject({ status: 0 });
    await served("overlay2", async (dockerd) => {
      expect(await seenBy(dockerd, disk.path)).toEqual(before);
      await dockerd.docker("commit", "changed", "again:1");
      const listed = await dockerd.docker("run", "--rm", "--network", "none", "again:1", "ls", "/usr/share/greetings");
      expect(listed).toBe("new");
      await dockerd.docker("rmi", "again:1");
      await dockerd.docker("start", "-a", "fresh");
      await dockerd.docker("cp", join(disk.path, "odd.tar"), "fresh:/since");
    });
    expect((await layerkit(root, "migrate", "--undo")).stderr).toMatch(/would lose what has changed since: container/);
    expect(await layerkit(root, "migrate", "--purge")).toMatchObject({ status: 0, stderr: "" });
    for (const driver of ["vfs", "overlay"]) {
      expect(await layerkit(root, "migrate", "--to", driver)).toMatchObject({ status: 0, stderr: "" });
      expect(await layerkit(root, "migrate", "--purge")).toMatchObject({ status: 0, stderr: "" });
    }
    await served("overlay", async (dockerd) => {
      const { saved, diffs } = await seenBy(dockerd, disk.path);
      const since = [...before.diffs[1]!, "A /since"].sort();
      expect({ saved, diffs }).toEqual({ saved: before.saved, diffs: [before.diffs[0], since, before.diffs[2]] });
      expect(await dockerd.docker("run", "--rm", "--network", "none", "committed:1", "cat", "/moved/two")).toBe("one");
    });
  });
});

async function killedAfter(root: string, ms: number, ...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [layerkitMain, "--root", root, ...args], { stdio: "ignore" });
  const exit = once(child, "exit");
  const timer = setTimeout(() => child.kill("SIGKILL"), ms);
  await exit;
  clearTimeout(timer);
}

/** It may have been done when it was killed. */
async function finished(root: string, to: string): Promise<Ran> {
  const ran = await layerkit(root, "migrate", "--to", to);
  return ran.stderr.includes("is kept since the migration") ? { ...ran, status: 0 } : ran;
}
