import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dockerEnvironment } from "./oracle/dockerd.js";
import { Layerkitd, layerkitMain } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { rawImage } from "./oracle/raw-image.js";
import { rawTar } from "./oracle/raw-tar.js";
import { output, type Ran, run } from "./oracle/run.js";
import { scratch } from "./oracle/scratch.js";

const skip = lacking("root", "mounts", "docker");

/** What the containers hold. */
const layer = rawTar([
  { name: "etc", type: "5" },
  { name: "etc/conf", content: "colour = red\n", mode: 0o640 },
  { name: "etc/link", type: "2", linkname: "conf" },
  { name: "etc/dangling", type: "2", linkname: "nowhere" },
  { name: "tree", type: "5", mode: 0o750 },
  { name: "tree/sub", type: "5" },
  { name: "tree/sub/deep", content: "deep\n", mode: 0o4755 },
  { name: "tree/hard", type: "1", linkname: "tree/sub/deep" },
  // One that leads out of what is copied, docker cp refuses; we copy it, and write nothing through it.
  { name: "tree/down", type: "2", linkname: "sub" },
  { name: "linked", type: "2", linkname: "tree" },
]);

/** Copies out; local paths are below a directory with `d/` (a directory), `f` (a file) and `l` (a link to `d`). */
const outward: string[][] = [
  ["C:/etc/conf", "new"],
  ["C:/etc/conf", "d"],
  ["C:/etc/conf", "d/"],
  ["C:/etc/conf", "f"],
  ["C:/etc/conf", "l"],
  ["C:/etc/conf", "no/such"],
  ["C:/etc/conf", "missing/"],
  ["C:etc/conf", "relative"],
  ["C:/etc/link", "link"],
  ["-L", "C:/etc/link", "followed"],
  ["C:/etc/dangling", "dangling"],
  ["C:/tree", "new"],
  ["C:/tree/", "new"],
  ["C:/tree", "d"],
  ["C:/tree", "f"],
  ["C:/tree/.", "d"],
  ["C:/tree/.", "new"],
  ["C:/tree/sub/..", "d"],
  ["C:/linked", "d"],
  ["C:/linked/", "new"],
  ["-L", "C:/linked", "d"],
  ["-a", "C:/tree", "kept"],
  ["C:/nothing", "x"],
  ["C:/etc/conf/", "x"],
  ["nobody:/etc", "x"],
];

/** Copies in, of the same local things: `tree/` with a file, a link and a hard link, too. */
const inward: string[][] = [
  ["f", "C:/etc"],
  ["f", "C:/etc/"],
  ["f", "C:/etc/conf"],
  ["f", "C:/etc/new"],
  ["f", "C:new"],
  ["f", "C:/no/such/place"],
  ["f", "C:/missing/"],
  ["f", "C:/etc/link"],
  ["f", "C:/linked"],
  ["tree", "C:/etc"],
  ["tree", "C:/fresh"],
  ["tree/", "C:/slash"],
  ["tree/.", "C:/etc"],
  ["tree", "C:/etc/conf"],
  ["tree", "C:/linked"],
  ["f", "C:/tree/sub"],
  ["l", "C:/a-link"],
  ["-L", "l", "C:/followed"],
  ["-a", "tree", "C:/kept"],
  ["nothing", "C:/etc"],
  ["f", "nobody:/etc"],
];

describe.skipIf(skip)("cp does what docker cp does", () => {
  test("out of a container", { timeout: 120_000 }, async () => {
    await using rig = await openRig();
    const result = async (copy: Copy, args: readonly string[]) => {
      await using place = await localThings();
      const ran = await copy(
        args.map((arg) => arg.replace(/^C:/, "one:")),
        place.path,
      );
      return { failed: ran.status !== 0, there: await listing(place.path) };
    };
    await Promise.all(
      outward.map(async (args) => {
        const [theirs, ours] = await Promise.all([result(rig.docker, args), result(rig.layerkit, args)]);
        expect.soft(ours, `cp ${args.join(" ")}`).toEqual(theirs);
      }),
    );
  });

  test("into a container", { timeout: 120_000 }, async () => {
    await using rig = await openRig();
    await using place = await localThings();
    const result = async (copy: Copy, name: string, args: readonly string[]) => {
      await rig.daemon.docker("create", "--name", name, "cp:1", "x");
      const ran = await copy(
        args.map((arg) => arg.replace(/^C:/, `${name}:`)),
        place.path,
      );
      const exported = await rig.daemon.tryDocker(["export", name]);
      return { failed: ran.status !== 0, there: await tarListing(exported.bytes) };
    };
    await Promise.all(
      inward.map(async (args, i) => {
        const asked = [result(rig.docker, `d${i}`, args), result(rig.layerkit, `l${i}`, args)];
        const [theirs, ours] = await Promise.all(asked);
        expect.soft(ours, `cp ${args.join(" ")}`).toEqual(theirs);
      }),
    );
  });

  test("as tars through pipes", async () => {
    await using rig = await openRig();
    const tar = rawTar([{ name: "piped", content: "through\n" }]);
    const put = await run(process.execPath, [...rig.command, "cp", "-", "one:/etc"], { input: tar });
    expect(put).toMatchObject({ status: 0, stderr: "" });
    const got = await run(process.execPath, [...rig.command, "cp", "one:/etc/piped", "-"]);
    expect(await output("tar", ["-xOf", "-", "piped"], { input: got.bytes })).toBe("through");
    expect(await run(process.execPath, [...rig.command, "cp", "-", "one:/etc/conf"], { input: tar })).toMatchObject({
      status: 1,
    });
    expect(await run(process.execPath, [...rig.command, "cp", "a", "b"])).toMatchObject({ status: 2 });
    expect(await run(process.execPath, [...rig.command, "cp", "one:/a", "one:/b"])).toMatchObject({ status: 2 });
  });
});

type Copy = (args: readonly string[], cwd: string) => Promise<Ran>;

/** A daemon with an image `cp:1` and a container `one`, and both commands for it. */
async function openRig() {
  const data = await scratch();
  const daemon = await Layerkitd.start(join(data.path, "root"));
  const loaded = await daemon.tryDocker(["load"], { input: rawImage({ tag: "cp:1", layers: [layer] }) });
  expect(loaded).toMatchObject({ status: 0 });
  await daemon.docker("create", "--name", "one", "cp:1", "x");
  const command = [layerkitMain, "-H", `unix://${daemon.socket}`];
  const docker: Copy = (args, cwd) =>
    run("docker", ["-H", `unix://${daemon.socket}`, "cp", ...args], { ...dockerEnvironment, cwd });
  const layerkit: Copy = (args, cwd) => run(process.execPath, [...command, "cp", ...args], { cwd });
  const close = async () => {
    await daemon[Symbol.asyncDispose]();
    await data[Symbol.asyncDispose]();
  };
  return { daemon, command, docker, layerkit, [Symbol.asyncDispose]: close };
}

async function localThings() {
  const place = await scratch();
  await mkdir(join(place.path, "d"));
  await writeFile(join(place.path, "f"), "local\n", { mode: 0o600 });
  await symlink("d", join(place.path, "l"));
  await mkdir(join(place.path, "tree/inner"), { recursive: true });
  await writeFile(join(place.path, "tree/inner/file"), "inner\n");
  await symlink("inner/file", join(place.path, "tree/link"));
  await output("ln", ["tree/inner/file", "tree/same"], { cwd: place.path });
  await output("chown", ["-R", "12:34", place.path]);
  await output(
    "touch",
    ["-h", "-d", "@1600000000", "f", "l", "tree/inner/file", "tree/link", "tree/inner", "tree", "d"],
    { cwd: place.path },
  );
  return place;
}

/** Everything below a directory: type, mode, owner, links, size, time of what is no directory, content. */
async function listing(path: string): Promise<string[]> {
  const lines = await output("find", [".", "-printf", "%P %y %m %U:%G %n %s %T@ %l\\n"], { cwd: path });
  const sums = await output("sh", ["-c", "find . -type f -exec md5sum {} + | sort -k2"], { cwd: path });
  // When a directory that was there was last written to is the copying's own time.
  return [
    ...lines
      .split("\n")
      .map((line) => line.replace(/^(\S* d .*?) \d+ [\d.]+ $/, "$1"))
      .sort(),
    sums,
  ];
}

async function tarListing(tar: Buffer): Promise<string[]> {
  const lines = await output("tar", ["--numeric-owner", "--full-time", "-tvf", "-"], { input: tar });
  return lines
    .split("\n")
    .map((line) => line.replace(/^(d.*?) \d{4}-\S+ \S+ (.*)$/, "$1 $2"))
    .map((line) =>
      line
        .replace(/(\.dockerenv|dev\/.*|etc\/(hostname|hosts|mtab|resolv.conf).*)$/, "")
        .replace(/\d{4}-\d\d-\d\d [\d:]+ $/, ""),
    )
    .sort();
}
