import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { type Reclaimed, readRoot, reclaim, repair, usesOf } from "../src/doctor/index.js";
import { Engine } from "../src/engine/index.js";
import { hexOf } from "../src/spec/index.js";
import { dockerRoot } from "./damage/docker-root.js";
import { Dockerd } from "./oracle/dockerd.js";
import { du } from "./oracle/du.js";
import { Layerkitd, layerkitMain } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { rawImage } from "./oracle/raw-image.js";
import { rawTar } from "./oracle/raw-tar.js";
import { run } from "./oracle/run.js";
import { collected, streamOf } from "./oracle/sample-image.js";
import { loopDisk, type Scratch, scratch } from "./oracle/scratch.js";

const skip = lacking("root", "mounts", "loop", "dockerd", "docker 28");

const file = (name: string, size = 5000) => ({ name, content: Buffer.alloc(size, name) });
const base = rawTar([file("a", 50_000)]);
const images = [
  rawImage({ tag: "one:1", layers: [base, rawTar([file("b")]), rawTar([file("c")])] }),
  rawImage({ tag: "two:1", layers: [base, rawTar([file("d", 90_000)])] }),
  rawImage({ tag: "three:1", layers: [rawTar([file("e")])] }),
];

async function fill(daemon: Dockerd | Layerkitd): Promise<void> {
  for (const input of images) expect((await daemon.tryDocker(["load"], { input })).status).toBe(0);
  await daemon.docker("create", "--network", "none", "--name", "box", "--label", "k=v", "-v", "/d", "one:1", "x");
  await daemon.docker("volume", "create", "named");
}

const homeOf = (root: string, driver: string) => join(root, driver === "vfs" ? "vfs/dir" : driver);

/** What nobody needs, as crashes and hands leave it: a directory with its short name, an image's files taken away. */
async function litter(root: string, driver: string): Promise<void> {
  const home = homeOf(root, driver);
  const [id, other] = ["0".repeat(64), "1".repeat(64)];
  const tree = { overlay2: "diff", overlay: "root" }[driver] ?? "";
  mkdirSync(join(home, id, tree), { recursive: true });
  writeFileSync(join(home, id, tree, "big"), Buffer.alloc(300_000));
  if (driver === "overlay2") {
    writeFileSync(join(home, id, "link"), "A".repeat(26));
    symlinkSync(`../${id}/diff`, join(home, "l", "A".repeat(26)));
    symlinkSync(`../${other}/diff`, join(home, "l", "B".repeat(26)));
  }
  const state = await readRoot(root);
  mkdirSync(join(state.layerdb.path, "tmp", `write-set-${other}`), { recursive: true });
  mkdirSync(join(home, "not-a-layer"));
  const gone = [...state.images.repositories.references!].find(([name]) => name === "three:1")![1].slice(7);
  rmSync(join(state.images.path, "imagedb/content/sha256", gone));
  mkdirSync(join(state.images.path, "imagedb/metadata/sha256", gone), { recursive: true });
  const names = JSON.parse(readFileSync(state.images.repositories.path, "utf8"));
  delete names.Repositories.three;
  writeFileSync(state.images.repositories.path, JSON.stringify(names));
}

function layerkit(root: string, ...args: string[]) {
  return run(process.execPath, [layerkitMain, "--root", root, ...args]);
}

describe.skipIf(skip)("layerkit reclaim", () => {
  test.for([
    ["dockerd", "overlay2"],
    ["dockerd", "overlay"],
    ["dockerd", "vfs"],
    ["layerkit", "overlay"],
    ["layerkit", "vfs"],
  ] as const)(
    "frees of a root of %s with %s what nobody needs, and what it says",
    { timeout: 60_000 },
    async (made) => {
      const [maker, driver] = made;
      await using disk = await loopDisk("ext4", "500M");
      const root = join(disk.path, "root");
      const start = () =>
        maker === "dockerd" ? Dockerd.start(root, { driver }) : Layerkitd.start(root, ["--storage-driver", driver]);
      {
        await using daemon = await start();
        await fill(daemon);
        const refused = await layerkit(root, "reclaim", "--format", "json");
        if (maker === "dockerd") {
          expect(refused).toMatchObject({ status: 1, stderr: expect.stringMatching(/served by a running dockerd/) });
        }
      }
      await litter(root, driver);
      const before = await du(root);
      const said = JSON.parse((await layerkit(root, "reclaim", "--dry-run", "--format", "json")).stdout) as Reclaimed;
      expect(await du(root)).toEqual(before);
      const ran = await layerkit(root, "reclaim", "--format", "json");
      expect(ran).toMatchObject({ status: 0, stderr: "" });
      const done = JSON.parse(ran.stdout) as Reclaimed;
      expect(done).toMatchObject({
        ...said,
        DryRun: false,
        Items: said.Items.map(({ Kind, Bytes }) => ({ Kind, Bytes })),
      });
      const kinds = said.Items.map(({ Kind }) => Kind).sort();
      expect(kinds).toEqual([
        ...["directory", "layer"],
        ...(driver === "overlay2" ? ["link"] : []),
        ...["record", "temporary"],
      ]);
      const after = await du(root);
      expect(after.Inodes).toBe(before.Inodes - done.Inodes);
      // Directories keep their blocks.
      expect(Math.abs(before.Bytes - done.Bytes - after.Bytes)).toBeLessThanOrEqual(8192);
      expect(done.DiskFreed).toBeGreaterThan(300_000);
      expect(readdirSync(homeOf(root, driver))).toContain("not-a-layer");
      expect(JSON.parse((await layerkit(root, "reclaim", "--format", "json")).stdout).Items).toEqual([]);
      await using again = await start();
      for (const name of ["one:1", "two:1"]) {
        expect((await again.tryDocker(["save", name])).status).toBe(0);
        await again.docker("create", "--network", "none", name, "x");
      }
      expect(await again.docker("ps", "-aq", "--filter", "name=box")).not.toBe("");
    },
  );

  test.for(["overlay2", "vfs"] as const)(
    "takes all that is known of an image, and none that another one names, with %s",
    { timeout: 120_000 },
    async (driver) => {
      await using root = await dockerRoot(driver);
      const { path } = root;
      const items = async () => {
        const ran = await layerkit(path, "reclaim", "--all-images", "--format", "json");
        expect(ran).toMatchObject({ status: 0, stderr: "" });
        return (JSON.parse(ran.stdout) as Reclaimed).Items.map(({ Kind, Name }) => `${Kind} ${Name}`);
      };
      const removed = async (...names: string[]) => {
        await using daemon = await Dockerd.start(path, { driver });
        await daemon.docker("rm", ...names);
      };
      await removed("ran", "fresh");
      expect(await items()).toEqual([]);
      await removed("upper");
      expect((await items()).filter((item) => item.startsWith("image "))).toHaveLength(2);
      expect(await layerkit(path, "check")).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/^Nothing is wrong/),
      });
      expect(await items()).toEqual([]);
      await using daemon = await Dockerd.start(path, { driver });
      expect(await daemon.docker("images", "--all", "--quiet")).toBe("");
    },
  );

  test("frees at rest and served alike what is chosen, and what is pinned or used stays", {
    timeout: 60_000,
  }, async () => {
    await using disk = await loopDisk("ext4", "500M");
    const root = join(disk.path, "root");
    await using daemon = await Layerkitd.start(root);
    await fill(daemon);
    const litterID = "0".repeat(64);
    mkdirSync(join(root, "overlay2", litterID, "diff"), { recursive: true });
    const asked = async (...args: string[]) => {
      const ran = await layerkit(root, "reclaim", "--format", "json", ...args);
      expect(ran).toMatchObject({ status: 0, stderr: "" });
      return (JSON.parse(ran.stdout) as Reclaimed).Items.map(
        ({ Kind, Name, Failed }) => `${Kind} ${Name}${Failed ?? ""}`,
      );
    };
    const directory = `directory overlay2/${litterID}`;
    expect(await asked("--all-images", "--label", "none", "--dry-run")).toEqual([directory]);
    expect(await asked("--containers", "--label", "!k", "--dry-run")).toEqual([directory]);
    writeFileSync(join(root, "image/overlay2/layerkit-pins.json"), '["three:1"]');
    const layers = (all: readonly string[]) => all.filter((each) => each.startsWith("layer ")).length;
    const first = await asked("--all-images");
    expect(first.slice(0, 1)).toEqual(["image two:1"]);
    expect([first.length, layers(first)]).toEqual([3, 1]);
    expect((await daemon.docker("images", "--format", "{{.Repository}}")).split("\n").sort()).toEqual(["one", "three"]);
    const rest = await asked("--all-images", "--containers", "--label", "k=v");
    expect(rest[0]).toBe("container box");
    const last = await asked("--all-images", "--volumes");
    expect(last.filter((each) => /^(image|volume)/.test(each))).toEqual([
      "image one:1",
      expect.stringMatching(/^volume [0-9a-f]{64}$/),
    ]);
    expect(await asked("--all-volumes")).toEqual(["volume named"]);
    expect(await daemon.docker("images", "-q")).not.toBe("");
    expect(await asked()).toEqual([]);
  });
});

const noMounts = lacking("root", "mounts");

describe.skipIf(noMounts)("whatever is damaged", () => {
  let place: Scratch;
  beforeAll(async () => {
    place = await scratch("/dev/shm");
    await using engine = await Engine.open({ root: join(place.path, "made"), driver: "overlay2", report: () => {} });
    for (const input of images) await collected(engine.images.load(streamOf(input)));
    for (const name of ["one:1", "two:1"]) await engine.containers.create({ Image: name, Cmd: ["x"] });
    return async () => place[Symbol.asyncDispose]();
  });

  test("reclaim leaves whole what was whole, repaired before or not, and comes to an end", {
    timeout: 60_000,
  }, async () => {
    let at = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        async (damages, isRepaired) => {
          const root = join(place.path, `run-${at++}`);
          execFileSync("cp", ["-a", join(place.path, "made"), root]);
          for (const [which, whom] of damages) damage(root, which, whom);
          const before = await wholeIn(root);
          if (isRepaired) await repair(root, { driver: "overlay2", sources: [], tell: async () => {} });
          const state = await readRoot(root, "overlay2");
          const done = await reclaim(state, {});
          expect(done.Items.filter(({ Failed }) => Failed !== undefined)).toEqual([]);
          const after = await wholeIn(root);
          for (const each of before) expect(after).toContain(each);
          expect((await reclaim(await readRoot(root, "overlay2"), {})).Items).toEqual([]);
          rmSync(root, { recursive: true, force: true });
        },
      ),
      { numRuns: 16, endOnFailure: true },
    );
  });
});

/** What hands and broken disks do to a root; each to one of many files. */
function damage(root: string, which: number, whom: number): void {
  const layerdb = join(root, "image/overlay2/layerdb");
  const imagedb = join(root, "image/overlay2/imagedb");
  const pick = (dir: string) => {
    // The directory itself may be gone by an earlier damage.
    const names = existsSync(dir) ? readdirSync(dir) : [];
    return join(dir, names[whom % names.length] ?? "none");
  };
  const remove = (path: string) => rmSync(path, { recursive: true, force: true });
  const kinds = [
    () => remove(pick(join(root, "overlay2"))),
    () => remove(pick(join(root, "overlay2/l"))),
    () => remove(pick(join(layerdb, "sha256"))),
    () => remove(pick(join(layerdb, "mounts"))),
    () => remove(pick(join(root, "containers"))),
    () => remove(pick(join(imagedb, "content/sha256"))),
    () => remove(pick(join(imagedb, "metadata/sha256"))),
    () => writeIn(pick(join(imagedb, "content/sha256")), ""),
    () => remove(join(pick(join(layerdb, "sha256")), "cache-id")),
    () => writeIn(join(pick(join(layerdb, "sha256")), "parent"), "x"),
    // Two entries name one directory.
    () => copyIn(layerdb, "sha256", "cache-id", whom),
    () => copyIn(layerdb, "mounts", "mount-id", whom),
    () => remove(join(pick(join(layerdb, "mounts")), "mount-id")),
    () => remove(join(pick(join(layerdb, "mounts")), "init-id")),
    () => writeIn(join(pick(join(root, "containers")), "config.v2.json"), "{"),
    () => writeIn(join(root, "image/overlay2/repositories.json"), "{"),
    () => copyTree(pick(join(root, "overlay2")), join(root, "overlay2", String(whom % 10).repeat(64))),
  ];
  kinds[which % kinds.length]!();
}

function copyIn(layerdb: string, kind: string, fact: string, whom: number): void {
  const names = existsSync(join(layerdb, kind)) ? readdirSync(join(layerdb, kind)) : [];
  const [from, to] = [names[whom % names.length], names[(whom >> 4) % names.length]];
  if (from && to) writeIn(join(layerdb, kind, to, fact), readText(join(layerdb, kind, from, fact)));
}

function copyTree(from: string, to: string): void {
  if (existsSync(from)) cpSync(from, to, { recursive: true });
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function writeIn(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch {
    // What it was to be in is gone already.
  }
}

/** Images and containers that have all they need, each with what that is. */
async function wholeIn(root: string): Promise<string[]> {
  const state = await readRoot(root, "overlay2");
  const listed = (id: string) =>
    readdirSync(join(state.home, id, "diff"), { recursive: true })
      .sort()
      .join(" ");
  const uses = usesOf(state);
  // What two entries name is one's at most.
  const isThere = (id: string) => state.directories.has(id) && uses.get(id)?.length === 1;
  const stack = (chain: readonly string[]) =>
    chain.map((chainID) => {
      const cacheID = state.layerdb.layers.get(hexOf(chainID as `sha256:${string}`))?.cacheID;
      return cacheID !== undefined && isThere(cacheID) ? listed(cacheID) : undefined;
    });
  const images = [...state.images.contents.values()].map(({ id, config, chain }) => [config && id, ...stack(chain)]);
  const containers = [...state.containers].map(([id, { config }]) => {
    const { mountID, initID } = state.layerdb.mounts.get(id) ?? {};
    const own = [mountID, initID].map((each) => (each && isThere(each) ? listed(each) : undefined));
    return [config && id, ...own];
  });
  return [...images, ...containers].filter((each) => !each.includes(undefined)).map((each) => each.join("|"));
}
