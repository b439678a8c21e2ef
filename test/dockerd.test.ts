import { createReadStream, lstatSync, readdirSync, readFileSync } from "node:fs";
import { appendFile, readdir, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { snapshot } from "../src/driver/suite/snapshot.js";
import { Engine, type Info } from "../src/engine/index.js";
import { Forbidden } from "../src/spec/index.js";
import { Dockerd } from "./oracle/dockerd.js";
import { lacking } from "./oracle/programs.js";
import { leftovers } from "./oracle/root-leftovers.js";
import { collected, sampleAnswer, sampleArchive, sampleSays, streamOf } from "./oracle/sample-image.js";
import { savedImages, spooled } from "./oracle/saved-images.js";
import { loopDisk, type Scratch, scratch } from "./oracle/scratch.js";

const skip = lacking("root", "mounts", "loop", "dockerd", "docker", "containerd", "runc", "mkfs.ext4");

type Driver = "overlay2" | "overlay";

const none = ["--network", "none"];
/** What the container of either engine does; what the other must see. */
const work = "echo new >/var/new; echo more >>/etc/app.conf; rm -f /etc/issue /usr/share/greetings/hello";
const workSeen = "cat /var/new; cat /etc/app.conf; ls /etc/issue 2>/dev/null || echo no issue";
const workAnswer = "new\ncolour = red\nsize = small\nmore\nno issue";
const diff = [
  "A /var/new",
  "C /etc",
  "C /etc/app.conf",
  "C /usr",
  "C /usr/share",
  "C /usr/share/greetings",
  "C /var",
  "D /etc/issue",
  "D /usr/share/greetings/hello",
];

describe.skipIf(skip).for(["overlay2", "overlay"] as const)("%s, both ways with dockerd", (driver) => {
  test("dockerd lists, runs, diffs, starts, commits, saves and removes what we made", {
    timeout: 120_000,
  }, async () => {
    await using disk = await loopDisk("ext4", "2G");
    const root = join(disk.path, "data");
    const ours = await makeOurs(root, driver);
    expect(ours.diff).toEqual(diff);
    {
      await using dockerd = await Dockerd.start(root, { driver });
      const { docker } = caller(dockerd);
      expect(await imageList(dockerd), "the images with our ids").toEqual(
        [`${ours.committed} committed:ours`, `${ours.image} sample:ours`].sort(),
      );
      expect(await docker("run", "--rm", ...none, "sample:ours", ...sampleSays), "runs our image").toBe(sampleAnswer);
      expect(await docker("run", "--rm", ...none, "committed:ours", "sh", "-c", workSeen), "and our commit").toBe(
        workAnswer,
      );
      expect(await docker("ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.Status}} {{.Image}}")).toBe(
        `${ours.container} ours Created sample:ours`,
      );
      expect(await dockerDiff(dockerd, "ours"), "diffs our container").toEqual(diff);
      expect(await docker("start", "-a", "ours"), "starts our container").toBe(workAnswer);
      const theirs = await docker("commit", "ours", "committed:theirs");
      expect(await docker("run", "--rm", ...none, theirs, "sh", "-c", `${workSeen}; cat /var/started`)).toBe(
        `${workAnswer}\nyes`,
      );

      await saveAndVerify(dockerd, disk, ["sample:ours", "committed:ours"], [ours.image, ours.committed]);

      await docker("rm", "ours");
      await docker("rmi", "committed:theirs", "committed:ours", "sample:ours");
      expect(await imageList(dockerd)).toEqual([]);
    }
    expect(await leftovers(root, driver), "removed whole").toEqual([]);
    await using engine = await Engine.open({ root, driver });
    expect(await engine.images.list({ all: true })).toEqual([]);
    expect(await engine.containers.list({ all: true })).toEqual([]);
  });

  test("we list, diff, mount, save and commit what dockerd made, and dockerd goes on", {
    timeout: 120_000,
  }, async () => {
    await using disk = await loopDisk("ext4", "2G");
    const root = join(disk.path, "data");
    const theirs = await makeTheirs(root, disk, driver);
    {
      await using engine = await Engine.open({ root: join(disk.path, "ours"), driver });
      await collected(engine.images.load(streamOf(await sampleArchive("sample:theirs"))));
    }
    const [made, madeByDocker] = [join(disk.path, "ours"), root].map((each) => layerDirectories(each, driver));
    for (const [diffID, lines] of made!) expect(madeByDocker!.get(diffID), "the same directories").toEqual(lines);
    const committed = await workOnTheirs(root, disk, theirs);

    await using dockerd = await Dockerd.start(root, { driver });
    const { docker } = caller(dockerd);
    expect(await imageList(dockerd)).toEqual([...theirs.images, `${committed} again:ours`].sort());
    const seen = await docker("run", "--rm", ...none, "again:ours", "sh", "-c", `${workSeen}; cat /var/by-us`);
    expect(seen, "runs our commit of its container").toBe(`${workAnswer}\nalso ours`);
    expect(await dockerDiff(dockerd, "theirs")).toEqual([...diff, "A /var/by-us"].sort());
    await docker("start", "-a", "theirs");
    await saveAndVerify(dockerd, disk, ["again:ours"], [committed]);
    await docker("rm", "theirs");
    await docker("rmi", "again:ours", "committed:theirs", "sample:theirs");
    expect(await imageList(dockerd)).toEqual([]);
    expect(await leftovers(root, driver), "removed whole").toEqual([]);
  });
});

describe.skipIf(skip)("a data root that a running dockerd serves", () => {
  test("is refused for writing, can be read, and is free when dockerd has gone", { timeout: 60_000 }, async () => {
    await using place = await scratch();
    {
      await using dockerd = await Dockerd.start(place.path);
      await expect(Engine.open({ root: place.path })).rejects.toThrow(`dockerd (process ${dockerd.pid})`);
      const archive = await spooled(streamOf(await sampleArchive("sample:1")), join(place.path, "tmp/sample.tar"));
      await dockerd.docker("load", "-q", "-i", archive);
      await using engine = await Engine.open({ root: place.path, readOnly: true });
      expect((await engine.images.list()).map(({ RepoTags }) => RepoTags)).toEqual([["sample:1"]]);
      await expect(engine.images.remove("sample:1")).rejects.toThrow(Forbidden);
    }
    await using engine = await Engine.open({ root: place.path });
    await engine.images.remove("sample:1");
    expect(await leftovers(place.path)).toEqual([]);
  });
});

/** By DiffID what lies in a layer's directory, and its tree; but for what is ours alone, and the mark that others lie upon it. */
function layerDirectories(root: string, driver: Driver): Map<string, string[]> {
  const layerdb = join(root, "image", driver, "layerdb/sha256");
  const read = (layer: string, fact: string) => readFileSync(join(layerdb, layer, fact), "utf8");
  const linesOf = (directory: string) => {
    const names = readdirSync(directory).filter((name) => !["parent", "committed"].includes(name));
    const modes = names.map((name) => `${name} ${lstatSync(join(directory, name)).mode.toString(8)}`);
    const tree = snapshot(join(directory, driver === "overlay" ? "root" : "diff"), { times: true });
    // A whiteout has the time at which it was made.
    return [...modes, ...tree.map((line) => line.replace(/(?<= char 0:0 .*) @.*/, ""))];
  };
  const layers = readdirSync(layerdb);
  return new Map(layers.map((layer) => [read(layer, "diff"), linesOf(join(root, driver, read(layer, "cache-id")))]));
}

/** What each says of its driver; dockerd also warns of the machine. */
function expectSameInfo(ours: Info, theirs: Info): void {
  expect(ours.Driver).toBe(theirs.Driver);
  const common = new Map<string, string>(theirs.DriverStatus);
  expect(ours.DriverStatus.filter(([key]) => common.has(key))).toEqual(theirs.DriverStatus);
  const ofDriver = (warnings: readonly string[] | null) => warnings?.filter((line) => line.includes("storage-driver"));
  expect(ofDriver(ours.Warnings) ?? []).toEqual(ofDriver(theirs.Warnings) ?? []);
}

function caller(dockerd: Dockerd) {
  return { docker: (...args: string[]) => dockerd.docker(...args) };
}

/** An image, a container of it with changes, and a commit of those. */
async function makeOurs(root: string, driver: Driver) {
  await using engine = await Engine.open({ root, driver });
  await collected(engine.images.load(streamOf(await sampleArchive("sample:ours"))));
  const image = (await engine.images.inspect("sample:ours")).Id;
  const Cmd = ["sh", "-c", `${workSeen}; echo yes >/var/started`];
  const body = { Image: "sample:ours", Cmd, HostConfig: { NetworkMode: "none" } };
  const { Id: container } = await engine.containers.create(body, { name: "ours" });
  {
    await using mounted = await engine.containers.mount(container);
    const at = (path: string) => join(mounted.path, path);
    await writeFile(at("var/new"), "new\n");
    await appendFile(at("etc/app.conf"), "more\n");
    await unlink(at("etc/issue"));
    await unlink(at("usr/share/greetings/hello"));
  }
  const { Id: committed } = await engine.containers.commit(container, { repo: "committed", tag: "ours" });
  return { image, container, committed, diff: await ourDiff(engine, container) };
}

/** The same by dockerd; what it says of it. */
async function makeTheirs(root: string, disk: Scratch, driver: Driver) {
  await using dockerd = await Dockerd.start(root, { driver });
  const { docker } = caller(dockerd);
  const archive = await spooled(streamOf(await sampleArchive("sample:theirs")), join(disk.path, "sample.tar"));
  await docker("load", "-i", archive);
  await docker("run", ...none, "--name", "theirs", "sample:theirs", "sh", "-c", work);
  await docker("commit", "theirs", "committed:theirs");
  const names = ["sample:theirs", "committed:theirs"];
  await docker("save", "-o", join(disk.path, "theirs.tar"), ...names);
  const sizes = await docker("image", "inspect", "--format", "{{.Id}} {{.Size}}", ...names);
  const container = await docker("inspect", "--format", "{{.Id}}", "theirs");
  expect(await dockerDiff(dockerd, "theirs")).toEqual(diff);
  const info = JSON.parse(await docker("info", "--format", "{{json .}}")) as Info;
  return { info, images: await imageList(dockerd), sizes: sizes.split("\n"), container };
}

/** Opens dockerd's root, which tells its driver, compares, changes the container a little more and commits it. @returns the commit's id */
async function workOnTheirs(root: string, disk: Scratch, theirs: Awaited<ReturnType<typeof makeTheirs>>) {
  await using engine = await Engine.open({ root });
  expectSameInfo(await engine.info(), theirs.info);
  const images = await engine.images.list();
  expect(images.flatMap(({ Id, RepoTags }) => RepoTags.map((tag) => `${Id} ${tag}`)).sort()).toEqual(theirs.images);
  expect(images.map(({ Id, Size }) => `${Id} ${Size}`).sort(), "the same sizes").toEqual(theirs.sizes.sort());
  const [container] = await engine.containers.list({ all: true });
  expect(container).toMatchObject({ Id: theirs.container, Names: ["/theirs"], State: "exited" });
  expect(await ourDiff(engine, "theirs"), "the same diff").toEqual(diff);

  const names = ["sample:theirs", "committed:theirs"];
  const saved = await savedImages(await spooled(await engine.images.save(names), join(disk.path, "ours.tar")));
  const savedByDocker = await savedImages(join(disk.path, "theirs.tar"));
  expect(byID(saved), "the same layers").toEqual(byID(savedByDocker));
  for (const { layers, diffIDs } of saved) expect(layers).toEqual(diffIDs);
  const told = await collected(engine.images.load(createReadStream(join(disk.path, "theirs.tar"))));
  const unpacked = told.flatMap(({ progressDetail }) => progressDetail?.total ?? []);
  expect(Math.max(...unpacked), "the large layer that is there is not").toBeLessThan(images[0]!.Size / 2);

  {
    await using mounted = await engine.containers.mount("theirs");
    expect(await readFile(join(mounted.path, "etc/app.conf"), "utf8")).toBe("colour = red\nsize = small\nmore\n");
    expect(await readdir(join(mounted.path, "usr/share/greetings"))).toEqual([]);
    await writeFile(join(mounted.path, "var/by-us"), "also ours\n");
  }
  return (await engine.containers.commit("theirs", { repo: "again", tag: "ours" })).Id;
}

async function saveAndVerify(dockerd: Dockerd, disk: Scratch, names: readonly string[], ids: readonly string[]) {
  const file = join(disk.path, "saved.tar");
  await dockerd.docker("save", "-o", file, ...names);
  const saved = await savedImages(file);
  expect(saved.map(({ id }) => id).sort()).toEqual([...ids].sort());
  for (const { layers, diffIDs } of saved) expect(layers, "every layer hashes to its diff_id").toEqual(diffIDs);
}

function byID<T extends { readonly id: string }>(images: readonly T[]): T[] {
  return [...images].sort((a, b) => (a.id < b.id ? -1 : 1));
}

async function imageList(dockerd: Dockerd): Promise<string[]> {
  const format = "{{.ID}} {{.Repository}}:{{.Tag}}";
  return (await dockerd.docker("images", "-a", "--no-trunc", "--format", format)).split("\n").filter(Boolean).sort();
}

/** The order of `docker diff` is random. */
async function dockerDiff(dockerd: Dockerd, container: string): Promise<string[]> {
  return (await dockerd.docker("diff", container)).split("\n").sort();
}

async function ourDiff(engine: Engine, container: string): Promise<string[]> {
  return (await engine.containers.changes(container)).map(({ Path, Kind }) => `${"CAD"[Kind]} ${Path}`).sort();
}
