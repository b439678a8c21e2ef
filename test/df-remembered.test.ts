import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { Memory, Readings, readRoot, type Usage, usageOf } from "../src/doctor/index.js";
import { Dockerd } from "./oracle/dockerd.js";
import { du } from "./oracle/du.js";
import { call } from "./oracle/engine-call.js";
import { Layerkitd, layerkitMain, ownCache } from "./oracle/layerkitd.js";
import { lacking, program } from "./oracle/programs.js";
import { output } from "./oracle/run.js";
import { sampleArchive } from "./oracle/sample-image.js";
import { loopDisk, type Scratch } from "./oracle/scratch.js";
import { until } from "./oracle/until.js";

const skip = lacking("root", "mounts", "loop", "dockerd", "docker 28", "runc", "mkfs.xfs");
const hour = 3_600_000;

const daemons = {
  dockerd: (root: string, driver: "overlay2" | "overlay") => Dockerd.start(root, { driver }),
  layerkit: (root: string, driver: string) => Layerkitd.start(root, ["--storage-driver", driver]),
};

/** Both ways to mount, and both layouts. */
const turns = [
  ["dockerd", "overlay2"],
  ["layerkit", "overlay"],
] as const;

/** Measures a root as a daemon does, again and again, an hour later than it is. */
class Watcher {
  readonly root: string;
  readonly memory = new Memory();
  readonly #readings = new Readings();

  constructor(root: string) {
    this.root = root;
  }

  async usage(now = Date.now() + hour): Promise<Usage> {
    const state = await readRoot(this.root, undefined, { brief: true, readings: this.#readings });
    return usageOf(state, { memory: this.memory, now });
  }

  /** Measures it; the sum has to be right. @returns whether the container's size was remembered */
  async remembers(what: string): Promise<boolean> {
    const { Total, Remembered, Layers, Containers } = await this.usage();
    expect(Total, what).toEqual(await du(this.root));
    expect(Containers.length, what).toBe(1);
    return Remembered === Layers.length + 1;
  }

  /** Mount namespaces that other tests make have a copy of what was mounted at that moment for as long as they live. */
  async untilRemembered(what: string): Promise<void> {
    await until(() => this.remembers(what));
  }
}

describe.skipIf(skip)("what a stopped container has written", () => {
  for (const [maker, driver] of turns) {
    test(`is remembered until it is mounted, of ${maker} with ${driver}`, { timeout: 120_000 }, async () => {
      await using disk = await loopDisk("ext4", "1G");
      const root = join(disk.path, "root");
      await using daemon = await daemons[maker](root, driver);
      await daemon.tryDocker(["load"], { input: await sampleArchive("sample:1") });
      const script = "mkdir -p /new/deep && echo some >> /new/deep/$(ls /new/deep | wc -l); test -e /wait && sleep 100";
      await daemon.docker("create", "--network", "none", "--name", "box", "sample:1", "sh", "-c", script);
      await daemon.docker("start", "--attach", "box").catch(() => {});
      const watcher = new Watcher(root);
      const layers = (await readRoot(root, driver)).layerdb.layers.size;
      const isCounted = async (what: string) => {
        expect((await watcher.usage()).Remembered, what).toBeLessThan(layers + 1);
        // A daemon may still write to its own files.
        await until(async () => isDeepStrictEqual((await watcher.usage()).Total, await du(root)));
      };
      const isKept = async (what: string) => {
        await until(() => isAtRest(root, driver));
        await isCounted(what);
        await watcher.untilRemembered(what);
      };
      await isKept("it has run");
      await daemon.tryDocker(["start", "--attach", "box"]);
      await isKept("it has run again");
      const file = join(disk.path, "file");
      writeFileSync(file, Buffer.alloc(20_000));
      await daemon.docker("cp", file, "box:/new/deep/copied");
      await isKept("docker cp into it");
      await daemon.docker("cp", file, "box:/wait");
      await daemon.docker("start", "box");
      await daemon.docker("exec", "box", "sh", "-c", "while ! test -e /new/deep/3; do :; done");
      await isCounted("it runs");
      await daemon.docker("exec", "box", "cp", "/wait", "/new/deep/more");
      await isCounted("it runs still");
      await daemon.docker("kill", "box");
      await daemon.docker("wait", "box");
      await isKept("it is stopped");
      const id = await daemon.docker("inspect", "--format", "{{.Id}}", "box");
      appendFileSync(join(root, "containers", id, `${id}-json.log`), Buffer.alloc(20_000));
      await watcher.remembers("its log grows by hand");
      const upper = await daemon.docker("inspect", "--format", "{{.GraphDriver.Data.UpperDir}}", "box");
      const before = await du(root);
      writeFileSync(join(upper, "new/deep/by-hand"), Buffer.alloc(20_000));
      expect((await watcher.usage()).Total, "a file deep in it by hand").toEqual(before);
      const exact = await usageOf(await readRoot(root), { memory: watcher.memory, exact: true });
      expect(exact.Total, "exact").toEqual(await du(root));
    });
  }
});

/** Whether no container of a root runs any more, and its daemon has put everything back. */
async function isAtRest(root: string, driver: string): Promise<boolean> {
  const { containers, directories } = await readRoot(root, driver);
  const isMounted = [...directories.values()].some(({ nodes }) => nodes.has("merged"));
  return !isMounted && [...containers.values()].every(({ config }) => config?.State?.Running === false);
}

/** A root at rest with a container that was never started. */
async function restingRoot(disk: Scratch): Promise<string> {
  const root = join(disk.path, "root");
  await using daemon = await Layerkitd.start(root, ["--storage-driver", "overlay2"]);
  await daemon.tryDocker(["load"], { input: await sampleArchive("sample:1") });
  await daemon.docker("create", "--network", "none", "--name", "box", "sample:1", "sh");
  writeFileSync(join(disk.path, "file"), Buffer.alloc(20_000));
  await daemon.docker("cp", join(disk.path, "file"), "box:/usr/share/file");
  return root;
}

/** Path of the container's directory in the driver's home. */
async function directoryOf(root: string): Promise<string> {
  const [mount] = (await readRoot(root)).layerdb.mounts.values();
  return join(root, "overlay2", mount?.mountID ?? "");
}

const mountOptions = (dir: string, lower = `${dir}/lower`) =>
  `lowerdir=${lower},upperdir=${dir}/diff,workdir=${dir}/work`;

describe.skipIf(skip)("what is remembered of a root", () => {
  test("holds for that root alone, and for no copy of it", { timeout: 60_000 }, async () => {
    await using disk = await loopDisk("xfs", "1G");
    const root = await restingRoot(disk);
    const watcher = new Watcher(root);
    expect(await watcher.remembers("first")).toBe(false);
    await watcher.untilRemembered("second");
    const other = join(disk.path, "other");
    await output("cp", ["-a", root, other]);
    const elsewhere = await usageOf(await readRoot(other), { memory: watcher.memory, now: Date.now() + hour });
    expect(elsewhere).toMatchObject({ Remembered: 0, Total: await du(other) });
    expect(await watcher.remembers("the first, when another was measured")).toBe(false);
    await watcher.untilRemembered("the first again");
    renameSync(root, join(disk.path, "away"));
    renameSync(other, root);
    expect(await watcher.usage()).toMatchObject({ Remembered: 0, Total: await du(root) });
    await watcher.untilRemembered("the copy in its place");
  });

  test("goes from a daemon to the next, and on to commands", { timeout: 60_000 }, async () => {
    await using disk = await loopDisk("xfs", "1G");
    const root = await restingRoot(disk);
    const remembered = async () => {
      await using daemon = await Layerkitd.start(root);
      const { Remembered, Layers }: Usage = JSON.parse(await call(daemon.socket, "/layerkit/df"));
      return Remembered === Layers.length;
    };
    expect(await remembered()).toBe(false);
    await until(remembered);
    const command = ["--root", root, "df", "--verbose", "--format", "json"];
    const told: Usage = JSON.parse(await output(process.execPath, [layerkitMain, ...command], { env: ownCache() }));
    expect(told).toMatchObject({ Remembered: told.Layers.length, Total: await du(root) });
  });

  test("is no container's that changed a moment ago", { timeout: 60_000 }, async () => {
    await using disk = await loopDisk("xfs", "1G");
    const root = await restingRoot(disk);
    const watcher = new Watcher(root);
    for (const what of ["first", "second", "third"]) {
      const { Total, Remembered, Layers } = await watcher.usage(Date.now());
      expect(Total, what).toEqual(await du(root));
      expect(Remembered, what).toBe(what === "first" ? 0 : Layers.length);
    }
  });

  test("is no container's of which a file has blocks beyond its end, for ten minutes", {
    timeout: 60_000,
  }, async () => {
    await using disk = await loopDisk("xfs", "1G");
    const root = await restingRoot(disk);
    const file = join(await directoryOf(root), "diff/usr/share/file");
    await output("fallocate", ["--keep-size", "--length", "1M", file]);
    const watcher = new Watcher(root);
    const containers = async (minutes: number) => {
      const { Total, Remembered, Layers } = await watcher.usage(Date.now() + minutes * 60_000);
      expect(Total).toEqual(await du(root));
      return Remembered - Layers.length;
    };
    await containers(0);
    for (const minutes of [5, 5]) expect(await containers(minutes), `${minutes} minutes later`).toBe(0);
    await until(async () => (await containers(11)) === 1);
  });

  test("is no container's that another mount namespace has mounted", { timeout: 60_000 }, async () => {
    await using disk = await loopDisk("xfs", "1G");
    const root = await restingRoot(disk);
    const dir = await directoryOf(root);
    const lower = join(disk.path, "lower");
    mkdirSync(lower);
    mkdirSync(join(disk.path, "at"));
    const script = `mount -t overlay overlay -o ${mountOptions(dir, lower)} ${disk.path}/at && echo mounted && read line &&
      cp ${disk.path}/file ${disk.path}/at/usr/share/other && echo written && read line`;
    const child = spawn(program("unshare"), ["--mount", "sh", "-c", script], { stdio: ["pipe", "pipe", "inherit"] });
    const exit = once(child, "exit");
    const says = async () => String((await once(child.stdout, "data"))[0]).trim();
    expect(await says()).toBe("mounted");
    const watcher = new Watcher(root);
    expect(await watcher.remembers("mounted elsewhere")).toBe(false);
    expect(await watcher.remembers("mounted elsewhere still")).toBe(false);
    child.stdin.write("\n");
    expect(await says()).toBe("written");
    expect(await watcher.remembers("written there")).toBe(false);
    child.stdin.end("\n");
    await exit;
    expect(await watcher.remembers("mounted no more")).toBe(false);
    await watcher.untilRemembered("at rest");
  });
});

describe.skipIf(skip)("the kernel", () => {
  for (const type of ["xfs", "ext4"] as const) {
    for (const how of ["rw", "ro"]) {
      test(`makes the directory work in a workdir anew at each mount, ${how} on ${type}`, async () => {
        await using disk = await loopDisk(type, "400M");
        const dir = disk.path;
        for (const name of ["lower", "diff", "work", "at"]) mkdirSync(join(dir, name));
        const stamp = () => {
          const { ino, ctimeNs } = statSync(join(dir, "work"), { bigint: true });
          return `${ino} ${ctimeNs}`;
        };
        const seen = new Set([stamp()]);
        for (let time = 0; time < 5; time++) {
          await output("mount", ["-t", "overlay", "overlay", "-o", `${how},${mountOptions(dir)}`, join(dir, "at")]);
          await output("umount", [join(dir, "at")]);
          expect(seen).not.toContain(stamp());
          seen.add(stamp());
        }
      });
    }
  }
});
