import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Undo } from "../../src/spec/index.js";
import { diskFacts } from "../oracle/disk-facts.js";
import { Dockerd } from "../oracle/dockerd.js";
import { layerkitMain } from "../oracle/layerkitd.js";
import { lacking } from "../oracle/programs.js";
import { rawImage } from "../oracle/raw-image.js";
import { rawTar } from "../oracle/raw-tar.js";
import { run } from "../oracle/run.js";
import { sampleArchive } from "../oracle/sample-image.js";
import { savedImages } from "../oracle/saved-images.js";
import { loopDisk } from "../oracle/scratch.js";
import { withoutSubIDs, withSubIDs } from "../oracle/subordinate-ids.js";
import { firstOf } from "./damages.js";
import type { RootDriver } from "./docker-root.js";
import { RootAt } from "./root-at.js";

const why =
  withoutSubIDs ?? lacking("root", "mounts", "loop", "dockerd", "docker", "containerd", "runc", "mkfs.xfs", "unshare");

/** Ids that no machine has in its own list; the users' come from two ranges. */
const [uid, gid] = [2_310_720, 2_410_720];
const subuid = `daemon:${uid}:1000\nother:1:1\ndaemon:5000000:64536\n`;
const subgid = `daemon:${gid}:65536\n`;

const owned = (user: number, group: number) => ({
  header: (header: Buffer) => {
    header.write(`${user.toString(8).padStart(7, "0")}\0`, 108, 8, "latin1");
    header.write(`${group.toString(8).padStart(7, "0")}\0`, 116, 8, "latin1");
  },
});

/** Owners of both ranges, of all kinds of entries, and directories that no entry names. */
const layers = [
  rawTar([
    { name: "d/", type: "5", mode: 0o1755, ...owned(5, 6) },
    { name: "d/f", content: "one\n", mode: 0o640, ...owned(1000, 1000) },
    { name: "d/g", content: "two\n", mode: 0o4755, ...owned(5, 5) },
    { name: "b", type: "1", linkname: "d/f", mode: 0o640, ...owned(1000, 1000) },
    { name: "soft", type: "2", linkname: "d/f", ...owned(7, 1001) },
    { name: "null", type: "3", device: [1, 3], mode: 0o666, ...owned(1001, 5) },
    { name: "gone", content: "gone\n" },
    { name: "o/", type: "5", mode: 0o700, ...owned(65535, 6) },
    { name: "o/hidden", content: "hidden\n" },
    { name: "implied/deep/file", content: "deep\n", ...owned(999, 0) },
    { name: "host", content: "called as root is on disk\n", ...owned(0, 0) },
  ]),
  rawTar([
    { name: "d/g", content: "three\n", mode: 0o6755, ...owned(6, 1001) },
    { name: ".wh.gone", ...owned(7, 8) },
    { name: "o/", type: "5", mode: 0o700, ...owned(1000, 6) },
    { name: "o/.wh..wh..opq" },
    { name: "o/shown", content: "shown\n", mode: 0o644, ...owned(1002, 3) },
  ]),
];
const tarTime = Date.parse("2023-11-15T00:00:00Z");

describe.skipIf(why).for(firstOf(["overlay2", "overlay", "vfs"]))(
  "a root of dockerd --userns-remap with %s",
  (driver: RootDriver) => {
    let made: Awaited<ReturnType<typeof makeRoot>>;
    beforeAll(async () => {
      made = await makeRoot(driver);
    }, 120_000);
    afterAll(() => made?.[Symbol.asyncDispose]());

    /**
     * What lies in the home, but for what comes and goes; times since the tars' are those of making. Directories that no
     * entry names are anybody's guess: with overlay and vfs dockerd's own are closed to all.
     */
    const passing = driver === "overlay2" ? /\/(work\/work|committed) / : /\/(work\/work|parent|implied(\/deep)?) /;
    const facts = (at: RootAt) => diskFacts(at.home, tarTime).filter((line) => !passing.test(line));
    const byID = (saved: Awaited<ReturnType<typeof savedImages>>) => saved.sort((a, b) => (a.id < b.id ? -1 : 1));

    test("has its layers back with the owners that dockerd gives them", { timeout: 180_000 }, async () => {
      const { at, archive, wrapped } = made;
      expect(await wrapped("check", "--deep")).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/^Nothing is wrong/),
      });
      const blind = await run(process.execPath, [layerkitMain, "--root", at.path, "check", "--deep"]);
      expect(blind).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Nothing is wrong/) });
      expect(blind.stderr).toMatch(/^layerkit: owners of files are not compared: .*no range begins with /m);
      const before = facts(at);
      expect(before.some((line) => line.includes(" 5000000 2411720 "))).toBe(true);
      const [bottom, second] = at.layers("owned:1");
      const ran = at.container("ran");
      fs.rmSync(second!.dir, { recursive: true });
      fs.rmSync(join(bottom!.tree, "d/f"));
      fs.rmSync(join(bottom!.tree, "implied"), { recursive: true });
      fs.chownSync(join(bottom!.tree, "d"), 0, 0);
      fs.rmSync(ran.init, { recursive: true });
      if (driver !== "vfs") fs.rmSync(join(ran.mount, "work"), { recursive: true });

      const unknown = await run(process.execPath, [layerkitMain, "--root", at.path, "repair", "--from", archive]);
      expect(unknown).toMatchObject({
        status: 1,
        stdout: expect.stringMatching(
          new RegExp(
            `no range begins with ${uid} in /etc/subuid: put in the line of the user .* as dockremap:${uid}:65536`,
          ),
        ),
      });
      const { status, stdout } = await wrapped("repair", "--deep", "--from", archive);
      expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining("nothing is wrong with") });
      expect(facts(at)).toEqual(before);
      expect(await wrapped("check", "--deep")).toMatchObject({ status: 0 });

      await using dockerd = await made.start();
      expect((await dockerd.docker("diff", "ran")).split("\n").sort()).toEqual(made.diff);
      await dockerd.docker("start", "--attach", "ran");
      await dockerd.docker("run", "--rm", "--network", "none", "sample:1", "true");
      const again = join(dirname(archive), "again.tar");
      await dockerd.docker("save", "--output", again, "owned:1", "sample:1");
      expect(byID(await savedImages(again))).toEqual(byID(await savedImages(archive)));
    });
  },
);

async function makeRoot(driver: RootDriver) {
  await using undo = new Undo();
  const disk = await loopDisk("xfs", "1G");
  undo.defer(() => disk[Symbol.asyncDispose]());
  // Containers' users come through all directories above.
  for (const dir of [dirname(disk.path), disk.path]) fs.chmodSync(dir, 0o711);
  const [path, archive] = [join(disk.path, "docker"), join(disk.path, "saved.tar")];
  const wrap = withSubIDs(disk.path, subuid, subgid);
  const start = () => Dockerd.start(path, { driver, args: ["--userns-remap", "daemon:daemon"], wrap });
  const diff = await fill(await start(), archive);
  const at = new RootAt(join(path, `${uid}.${gid}`), driver);
  const wrapped = async (...args: string[]) => {
    const [name = "", ...rest] = wrap([process.execPath, layerkitMain, "--root", at.path, ...args]);
    return await run(name, rest);
  };
  undo.done();
  return { at, archive, diff, start, wrapped, [Symbol.asyncDispose]: () => disk[Symbol.asyncDispose]() };
}

async function fill(started: Dockerd, archive: string): Promise<string[]> {
  await using dockerd = started;
  for (const input of [await sampleArchive("sample:1"), rawImage({ tag: "owned:1", layers })]) {
    const loaded = await dockerd.tryDocker(["load"], { input });
    if (loaded.status !== 0) throw new Error(`docker load: ${loaded.stderr}`);
  }
  await dockerd.docker("run", "--network", "none", "--name", "ran", "sample:1", "sh", "-c", "echo one > /written");
  await dockerd.docker("save", "--output", archive, "owned:1", "sample:1");
  return (await dockerd.docker("diff", "ran")).split("\n").sort();
}
