import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { check, deepCheck, type Finding, readRoot } from "../../src/doctor/index.js";
import { openDriver } from "../../src/driver/index.js";
import { LayerStore } from "../../src/layer/index.js";
import { Dockerd } from "../oracle/dockerd.js";
import { call } from "../oracle/engine-call.js";
import { Layerkitd } from "../oracle/layerkitd.js";
import { lacking } from "../oracle/programs.js";
import { rawTar } from "../oracle/raw-tar.js";
import { output } from "../oracle/run.js";
import { sampleArchive } from "../oracle/sample-image.js";
import { loopDisk, type Scratch } from "../oracle/scratch.js";
import { CuttableDisk } from "../torture/cuttable-disk.js";
import { isAll } from "./damages.js";

const why = lacking("root", "mounts", "loop", "dockerd", "docker", "mkfs.xfs", "runc");

/** All that is found, with every byte compared. */
async function found(path: string, driver?: string): Promise<Finding[]> {
  const state = await readRoot(path, driver);
  return [...check(state), ...(await deepCheck(state)).findings];
}

/** What BuildKit makes of an image: files of other modes and times, hard links, deletions, a directory begun anew. */
const context = rawTar([
  {
    name: "Dockerfile",
    content: [
      "FROM sample:1",
      "COPY note /notes/",
      "RUN rm /etc/app.conf && mkdir -p -m 700 /w/x && cp -l /bin/grep /bin/grep2 && echo 1 > /w/x/f",
      "RUN rm -r /w/x && mkdir /w/x && echo 2 > /w/x/g",
    ].join("\n"),
    mode: 0o644,
  },
  { name: "note", content: "a note\n", mode: 0o4755 },
]);

const build = (version: number, tag: string) => `/build?version=${version}&networkmode=none&t=${tag}`;
const sleeper = { Image: "sample:1", Cmd: ["sleep", "1000"], HostConfig: { NetworkMode: "none" } };

async function create(socket: string, config: object): Promise<string> {
  const answer = await call(socket, "/containers/create", { method: "POST", body: config });
  return (JSON.parse(answer) as { Id: string }).Id;
}

async function comeAndGo(socket: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    await call(socket, `/containers/${await create(socket, sleeper)}`, { method: "DELETE" });
  }
}

describe.skipIf(why).for(["overlay2", "overlay"] as const)(
  "nothing is found in a root of dockerd with %s",
  (driver) => {
    let disk: Scratch;
    let path: string;
    beforeAll(async () => {
      disk = await loopDisk("xfs", "1G");
      path = join(disk.path, "docker");
    });
    afterAll(() => disk?.[Symbol.asyncDispose]());

    test("that has just been made", async () => {
      await (await Dockerd.start(path, { driver }))[Symbol.asyncDispose]();
      expect(await found(path, driver)).toEqual([]);
    });

    const times = isAll || driver === "overlay2" ? 100 : 20;
    test(`whose images were built, also by BuildKit, after ${times} containers came and went`, async () => {
      await using dockerd = await Dockerd.start(path, { driver });
      await dockerd.tryDocker(["load"], { input: await sampleArchive("sample:1") });
      await call(dockerd.socket, build(1, "classic:1"), { method: "POST", body: context });
      await call(dockerd.socket, build(2, "buildkit:1"), { method: "POST", body: context });
      await comeAndGo(dockerd.socket, times);
      await dockerd.docker(
        "run",
        "--network",
        "none",
        "-v",
        "/anonymous",
        "-v",
        "named:/n",
        "classic:1",
        "sh",
        "-c",
        "echo > /f",
      );
      const state = await readRoot(path, driver);
      expect(check(state, { isLive: true })).toEqual([]);
      expect((await deepCheck(state)).findings).toEqual([]);
    });

    test("BuildKit's layers are there for layerkit, too", async () => {
      const opened = await openDriver(driver, path);
      try {
        const layers = await LayerStore.open({ root: join(path, "image", driver), driver: opened, writable: false });
        expect(layers.damaged).toEqual([]);
        expect(layers.list().some(({ cacheID }) => cacheID.length === 25)).toBe(true);
      } finally {
        await opened.close();
      }
    });

    test("that was killed with a container running", async () => {
      const dockerd = await Dockerd.start(path, { driver });
      await dockerd.docker("run", "--detach", "--name", "runs", "--network", "none", "sample:1", "sleep", "1000");
      await dockerd.crash();
      expect(await found(path, driver)).toEqual([]);
      await using again = await Dockerd.start(path, { driver });
      await again.docker("rm", "--force", "runs");
    });
  },
);

describe.skipIf(why).for(["overlay2", "overlay", "vfs"] as const)(
  "nothing is found in a root of layerkit with %s",
  (driver) => {
    let disk: Scratch;
    let path: string;
    beforeAll(async () => {
      disk = await loopDisk("xfs", "1G");
      path = join(disk.path, "layerkit");
    });
    afterAll(() => disk?.[Symbol.asyncDispose]());

    test("while a container runs, with its daemon and after that was killed", async () => {
      const daemon = await Layerkitd.start(path, ["--storage-driver", driver]);
      try {
        await daemon.tryDocker(["load"], { input: await sampleArchive("sample:1") });
        await comeAndGo(daemon.socket, 20);
        await daemon.docker(
          "run",
          "--name",
          "ran",
          "--network",
          "none",
          "sample:1",
          "sh",
          "-c",
          "rm /etc/app.conf; echo > /f",
        );
        await daemon.docker("commit", "ran", "child:1");
        await daemon.docker("run", "--detach", "--name", "runs", "--network", "none", "child:1", "sleep", "1000");
        expect(check(await readRoot(path), { isLive: true })).toEqual([]);
      } finally {
        daemon.kill();
        await daemon[Symbol.asyncDispose]();
      }
      // A file that it was just writing may be left.
      expect((await found(path)).filter(({ kind }) => kind !== "file-half-written")).toEqual([]);
      await using again = await Layerkitd.start(path);
      await again.docker("rm", "--force", "runs");
    });

    test("at rest", async () => {
      expect(await found(path)).toEqual([]);
    });
  },
);

describe.skipIf(why)("after a power cut", () => {
  test.for(["dockerd", "layerkit"] as const)("nothing is found in a root that %s had at work", async (engine) => {
    await using host = await loopDisk("xfs", "3G");
    await using disk = await CuttableDisk.make(host, "ext4");
    const path = join(disk.path, "root");
    const daemon = engine === "dockerd" ? await Dockerd.start(path) : await Layerkitd.start(path);
    try {
      await daemon.tryDocker(["load"], { input: await sampleArchive("sample:1") });
      await daemon.docker("run", "--detach", "--name", "runs", "--network", "none", "sample:1", "sleep", "1000");
      await output("sync", ["--file-system", path]);
      disk.cut();
      await daemon.docker("rm", "--force", "runs");
    } finally {
      await daemon[Symbol.asyncDispose]();
    }
    await disk.powerUp();
    // What was just being written when the disk was synced may be left.
    expect((await found(path)).filter(({ kind }) => kind !== "file-half-written")).toEqual([]);
  });

  test("what layerkit has acknowledged is whole, whatever had reached the disk", async () => {
    await using host = await loopDisk("xfs", "3G");
    await using disk = await CuttableDisk.make(host, "xfs");
    const path = join(disk.path, "root");
    const daemon = await Layerkitd.start(path);
    const unrest = disk.unsettle();
    try {
      await daemon.tryDocker(["load"], { input: await sampleArchive("sample:1") });
      const going = comeAndGo(daemon.socket, 10);
      await create(daemon.socket, sleeper);
      disk.cut();
      await going;
    } finally {
      await unrest.end();
      await daemon[Symbol.asyncDispose]();
    }
    await disk.powerUp();
    expect((await found(path)).filter(({ severity }) => severity === "damage")).toEqual([]);
  });
});
