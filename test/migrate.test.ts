import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Dockerd, type DockerdOptions } from "./oracle/dockerd.js";
import { layerkitMain } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { rawImage } from "./oracle/raw-image.js";
import { rawTar } from "./oracle/raw-tar.js";
import { output, type Ran, run } from "./oracle/run.js";
import { sampleArchive } from "./oracle/sample-image.js";
import { savedImages } from "./oracle/saved-images.js";
import { loopDisk, type Scratch } from "./oracle/scratch.js";

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
  const sorted = async (...args: string[]) => (await dockerd.docker(...args)).split("\n").sort();
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

/** A listing of all files of a container with a sum of what they hold. */
async function exported(dockerd: Dockerd, name: string, disk: string): Promise<string> {
  const file = join(disk, `${name}.tar`);
  await dockerd.docker("export", "-o", file, name);
  const listing = await output("tar", ["-tvf", file, "--full-time", "--numeric-owner"]);
  // In what order names are found decides which one of several is the file; directories' times differ by driver.
  const lines = listing.split("\n").map((line) => (line.startsWith("d") ? line.replace(/\d{4}-\S+ \S+ /, "") : line));
  const content = await output("sh", ["-c", `tar -xOf ${file} | wc -c`]);
  return [...lines.sort(), content].join("\n");
}

const layerkit = (root: string, ...args: string[]): Promise<Ran> =>
  run(process.execPath, [layerkitMain, "--root", root, ...args]);

describe.skipIf(skip)("migrate, judged by dockerd", () => {
  let disk: Scratch;
  let root: string;
  let before: Awaited<ReturnType<typeof seenBy>>;

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
  }, 120_000);

  afterAll(async () => disk?.[Symbol.asyncDispose]());

  async function served(driver: NonNullable<DockerdOptions["driver"]>, work: (dockerd: Dockerd) => Promise<void>) {
    await using dockerd = await Dockerd.start(root, { driver });
    await work(dockerd);
  }

  test("from overlay to overlay2 and back, nothing is lost or copied", { timeout: 120_000 }, async () => {
    expect(await layerkit(root, "migrate", "--to", "overlay2", "--dry-run")).toMatchObject({ status: 0, stderr: "" });
    const there = await layerkit(root, "migrate", "--to", "overlay2");
    expect(there).toMatchObject({ status: 0, stderr: "" });
    expect(there.stdout).toMatch(/no file content was copied/);
    await served("overlay2", async (dockerd) => {
      expect(await seenBy(dockerd, disk.path)).toEqual(before);
      expect(await dockerd.docker("start", "-a", "changed").catch(String)).toMatch(/./);
      expect(await dockerd.docker("run", "--rm", "--network", "none", "committed:1", "cat", "/moved/two")).toBe("one");
      await dockerd.docker("commit", "changed", "again:1");
      expect(await dockerd.docker("run", "--rm", "--network", "none", "again:1", "ls", "/usr/share/greetings")).toBe(
        "new",
      );
      await dockerd.docker("rmi", "again:1");
    });
    expect((await layerkit(root, "migrate", "--undo")).stderr).toMatch(/would lose what has changed since/);
    expect(await layerkit(root, "migrate", "--purge")).toMatchObject({ status: 0 });
    const back = await layerkit(root, "migrate", "--to", "overlay");
    expect(back).toMatchObject({ status: 0, stderr: "" });
    await served("overlay", async (dockerd) => {
      expect((await seenBy(dockerd, disk.path)).saved).toEqual(before.saved);
    });
  });
});
