import { linkSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Memory, Readings, type Room, readRoot, type Usage, usageOf } from "../src/doctor/index.js";
import { Dockerd } from "./oracle/dockerd.js";
import { du } from "./oracle/du.js";
import { Layerkitd, layerkitMain, ownCache } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { rawImage } from "./oracle/raw-image.js";
import { rawTar } from "./oracle/raw-tar.js";
import { output, run } from "./oracle/run.js";
import { loopDisk } from "./oracle/scratch.js";

const skip = lacking("root", "mounts", "loop", "dockerd", "docker 28");

const file = (name: string, size: number) => ({ name, content: Buffer.alloc(size, name) });
const shared = [
  rawTar([{ name: "d/", type: "5" }, file("d/a", 100_000), { name: "d/b", type: "1", linkname: "d/a" }]),
  rawTar([file("e", 5000)]),
];
const images = [
  rawImage({ tag: "one:1", layers: [...shared, rawTar([file("f", 30_000), { name: "d/.wh.b" }])] }),
  rawImage({ tag: "two:1", layers: [...shared, rawTar([file("g", 70_000)])] }),
  rawImage({ tag: "alone:1", layers: [rawTar([file("h", 9000)])] }),
];

type Served = Dockerd | Layerkitd;

/** Images with and without containers, containers with files, sparse and linked ones, volumes and one that runs. */
async function fill(daemon: Served, root: string): Promise<void> {
  for (const input of images) expect((await daemon.tryDocker(["load"], { input })).status).toBe(0);
  const id = await daemon.docker("create", "--network", "none", "--name", "box", "-v", "data:/data", "one:1", "x");
  await daemon.docker("create", "--network", "none", "--name", "other", "one:1", "x");
  await daemon.docker("volume", "create", "free");
  writeFileSync(join(root, "volumes/data/_data/f"), Buffer.alloc(50_000));
  truncateSync(join(root, "volumes/data/_data/f"), 10_000_000);
  await output("sh", ["-c", "echo hello > new; ln new same"], { cwd: await upperOf(daemon, id) });
  await daemon.docker("commit", "box", "committed:1");
}

async function upperOf(daemon: Served, id: string): Promise<string> {
  return daemon.docker("inspect", "--format", "{{.GraphDriver.Data.UpperDir}}", id);
}

/** Each layout, and each who writes it. */
const drivers = [
  ["overlay2", "dockerd"],
  ["overlay", "layerkit"],
] as const;

describe.skipIf(skip)("the usage of a data root", () => {
  for (const [driver, maker] of drivers) {
    test(`of ${maker} with ${driver} adds up to what du says`, { timeout: 60_000 }, async () => {
      await using disk = await loopDisk("ext4", "1G");
      const root = join(disk.path, "root");
      {
        await using daemon = await (maker === "dockerd"
          ? Dockerd.start(root, { driver })
          : Layerkitd.start(root, ["--storage-driver", driver]));
        await fill(daemon, root);
      }
      const usage = await usageOf(await readRoot(root));
      expect(usage.Total).toEqual(await du(root));
      expect(sum(usage.Kinds)).toEqual(usage.Total);
      expect(usage.Kinds.filter(({ Kind }) => Kind === "unused")).toEqual([]);
      const image = (name: string) => usage.Images.find(({ Names }) => Names.includes(name))!;
      expect(image("one:1")).toMatchObject({ Containers: 2, Reclaimable: { Bytes: 0 } });
      expect(image("alone:1").Shared).toEqual({ Bytes: 0, Inodes: 0 });
      expect(image("alone:1").Reclaimable).toEqual(image("alone:1").Unique);
      const layers = usage.Layers.filter(({ ChainID }) => image("two:1").Layers.slice(0, 2).includes(ChainID));
      expect(image("two:1").Shared).toEqual(sum(layers));
      expect(image("one:1").Shared).toEqual(image("committed:1").Shared);
      const [data] = usage.Volumes.filter(({ Name }) => Name === "data");
      expect(data).toMatchObject({ Users: 1, ...(await du(join(root, "volumes/data"))) });
      expect(usage.Containers.map(({ Name }) => Name).sort()).toEqual(["box", "other"]);
    });

    test(`remembers layers, frees what it says, and always adds up, with ${driver}`, { timeout: 60_000 }, async () => {
      await using disk = await loopDisk("ext4", "1G");
      const root = join(disk.path, "root");
      await using daemon = await Layerkitd.start(root, ["--storage-driver", driver]);
      await fill(daemon, root);
      const memory = new Memory(join(disk.path, "cache/memory.json"));
      const matches = async (what: string, usage: Usage) => expect(usage.Total, what).toEqual(await du(root));
      const readings = new Readings();
      const measured = async () => {
        const state = await readRoot(root, driver, { brief: true, readings });
        expect(state, "as if it had not been read before").toEqual(await readRoot(root, driver, { brief: true }));
        return usageOf(state, { memory });
      };
      await matches("first", await measured());
      const second = await measured();
      expect(second.Remembered).toBe(second.Layers.length);
      await matches("second", second);
      const home = join(root, driver);
      const [layer = ""] = readdirSync(home).filter((name) => /^[0-9a-f]{64}$/.test(name));
      const tree = readdirSync(join(home, layer)).find((name) => ["diff", "root"].includes(name)) ?? "upper";
      mkdirSync(join(root, "layerkit-quarantine"));
      writeFileSync(join(home, layer, tree, "by-hand"), Buffer.alloc(5000));
      await matches("a file written into a layer by hand", await measured());
      linkSync(join(home, layer, tree, "by-hand"), join(root, "layerkit-quarantine/link"));
      await matches("a link to it", await measured());
      await daemon.docker("rmi", "alone:1");
      await matches("an image removed", await measured());
      await daemon.docker("tag", "one:1", "also:1");
      await daemon.docker("volume", "create", "more");
      await daemon.docker("rename", "other", "another");
      await matches("names and volumes", await measured());
      rmSync(join(home, layer, tree, "by-hand"), { force: true });
      expect(await memory.save()).toBe(true);
      const later = new Memory(join(disk.path, "cache/memory.json"));
      await matches("another process", await usageOf(await readRoot(root), { memory: later }));
      await removals(daemon, root);
      await matches("exact", await usageOf(await readRoot(root), { memory: later, exact: true }));
    });
  }

  test("counts blocks that files share by reflinks", { timeout: 60_000 }, async () => {
    await using disk = await loopDisk("xfs", "1G");
    const root = join(disk.path, "root");
    {
      await using daemon = await Layerkitd.start(root, ["--storage-driver", "overlay2"]);
      await fill(daemon, root);
    }
    const data = join(root, "volumes/free/_data");
    writeFileSync(join(data, "a"), Buffer.alloc(1 << 20, "a"));
    await output("cp", ["--reflink=always", "a", "b"], { cwd: data });
    await output("cp", ["--reflink=always", "a", join(root, "volumes/data/_data/c")], { cwd: data });
    await output("sync", []);
    const state = await readRoot(root);
    const before = (await usageOf(state)).Reflinked;
    expect(before).toBeUndefined();
    const usage = await usageOf(state, { exact: true });
    // What commit has copied by reflink is there as well.
    expect(usage.Reflinked).toBeGreaterThanOrEqual(2 << 20);
    expect(usage.Reflinked).toBeLessThan((2 << 20) + 200_000);
    expect(usage.Total).toEqual(await du(root));
  });

  test("is what docker system df and layerkit df print", { timeout: 60_000 }, async () => {
    await using disk = await loopDisk("ext4", "1G");
    const root = join(disk.path, "root");
    await using daemon = await Layerkitd.start(root);
    await fill(daemon, root);
    const listed = async (text: Promise<string>) =>
      (await text)
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    const theirs = await listed(daemon.docker("system", "df", "--format", "json"));
    const cli = ["--root", root, "df", "--format", "json"];
    const ours = await listed(output(process.execPath, [layerkitMain, ...cli]));
    for (const Type of ["Images", "Containers", "Local Volumes"]) {
      const [mine, docker] = [ours, theirs].map((rows) => rows.find((row) => row.Type === Type));
      const { Active, Size, TotalCount } = mine;
      expect(docker).toMatchObject({ Active, Size, TotalCount });
    }
    expect(ours.at(-1)).toMatchObject({ Type: "Total", SizeBytes: String((await du(root)).Bytes) });
    const details = await run(process.execPath, [layerkitMain, "--root", root, "df", "-v"], { env: ownCache() });
    expect(details).toMatchObject({ status: 0, stderr: "" });
    expect(details.stdout).toMatch(
      /2 layers up to [0-9a-f]{12} [\s\S]*\n(?:├|└)─ layer .*\n(?:│ {2}| {3})└─ image two:1 /,
    );
  });
});

/** What the removal of something is said to free, it frees. */
async function removals(daemon: Served, root: string): Promise<void> {
  for (const [name, words] of [
    ["two:1", ["rmi", "two:1"]],
    ["box", ["rm", "box"]],
    ["free", ["volume", "rm", "free"]],
    ["committed:1", ["rmi", "committed:1"]],
  ] as const) {
    const before = await usageOf(await readRoot(root));
    const said = reclaimable(before, name);
    await daemon.docker(...words);
    const after = await usageOf(await readRoot(root));
    expect(after.Total.Inodes, name).toBe(before.Total.Inodes - said.Inodes);
    // Directories do not always shrink with what was in them; repositories.json does.
    expect(Math.abs(after.Total.Bytes - before.Total.Bytes + said.Bytes), name).toBeLessThanOrEqual(4096);
  }
}

function reclaimable({ Images, Containers, Volumes }: Usage, name: string): Room {
  const image = Images.find(({ Names }) => Names.includes(name));
  const found = image ?? [...Containers, ...Volumes].find(({ Name }) => Name === name);
  return found!.Reclaimable;
}

function sum(rooms: readonly Room[]): Room {
  return rooms.reduce<Room>(
    (total, { Bytes, Inodes }) => ({ Bytes: total.Bytes + Bytes, Inodes: total.Inodes + Inodes }),
    { Bytes: 0, Inodes: 0 },
  );
}
