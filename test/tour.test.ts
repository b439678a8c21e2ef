import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdir, readdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Dockerd } from "./oracle/dockerd.js";
import { layerkitMain } from "./oracle/layerkitd.js";
import { lacking, program } from "./oracle/programs.js";
import { output, type Ran, run } from "./oracle/run.js";
import { sampleArchive, streamOf } from "./oracle/sample-image.js";
import { spooled } from "./oracle/saved-images.js";
import { type Scratch, scratch } from "./oracle/scratch.js";

const skip = lacking("root", "mounts");
const nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];

/** A temporary directory that anyone may write to: what a tour leaves behind would be in it. */
async function temporary(): Promise<Scratch> {
  const place = await scratch();
  await chmod(place.path, 0o1777);
  return place;
}

async function expectNothingLeft(directory: string): Promise<void> {
  expect(await readdir(directory), "nothing is left in the temporary directory").toEqual([]);
  const mounts = (await readFile("/proc/mounts", "utf8")).split("\n").filter((line) => line.includes(directory));
  expect(mounts, "nothing is left mounted").toEqual([]);
}

/** Runs the tour to its end, as root or by way of another program, with `temporary` as its temporary directory. */
function tour(temporary: string, args: readonly string[] = [], by: readonly string[] = []): Promise<Ran> {
  const [name = process.execPath, ...rest] = [...by, process.execPath, layerkitMain, "tour", ...args];
  return run(name, rest, { env: { TMPDIR: temporary, NO_COLOR: "" }, cwd: "/" });
}

const sections = [
  "1. An image is a list of layers",
  "2. Each layer is a directory",
  "3. A container is one more directory on top",
  "4. Reading: a file comes from the highest layer that has it",
  "5. Writing: a new file is the container's own",
  "6. Changing: copy-up",
  "7. Deleting: a whiteout",
  "8. diff: what the container did",
  "9. commit: layer 5",
  "10. The merged view is a root file system",
  "11. The end",
];

function expectSampleTour({ status, stdout, stderr }: Ran): void {
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(stdout.split("\n").filter((line) => /^\d+\. /.test(line))).toEqual(sections);
  expect(stdout.split("\n").filter((line) => line.length > 100)).toEqual([]);
  for (const fact of ["A /var/new-file", "C /etc/app.conf", "D /etc/issue", "colour = red", "cat: /etc/motd"]) {
    expect(stdout).toContain(fact);
  }
}

describe.skipIf(skip)("layerkit tour", () => {
  test("shows on overlay2 what lies on disk, and leaves nothing", async () => {
    await using place = await temporary();
    const ran = await tour(place.path);
    expectSampleTour(ran);
    expect(ran.stdout).toMatch(/Driver: overlay2/);
    expect(ran.stdout).toMatch(/whiteout +etc\/motd: a character device 0:0/);
    expect(ran.stdout).toMatch(/opaque +usr\/share\/greetings: xattr/);
    expect(ran.stdout, "lowerdirs in order").toMatch(
      /lowerdir .* the -init layer\n.* layer 4\n.* layer 3\n.* layer 2\n.* layer 1\n/,
    );
    expect(ran.stdout).toMatch(/upper directory {2}not there +inode \d+, \d+ bytes/);
    expect(ran.stdout).toMatch(/upper directory {2}character device 0:0/);
    expect(ran.stdout, "no colour in a pipe").not.toContain("\x1b");
    await expectNothingLeft(place.path);
  });

  test("shows an ordinary user the same in a user namespace, and says so", async ({ skip: pass }) => {
    if ((await run("setpriv", [...nobody, program("test"), "-r", layerkitMain])).status !== 0) pass("not readable");
    if ((await run("setpriv", [...nobody, "unshare", "-rm", "true"])).status !== 0) pass("no user namespaces");
    await using place = await temporary();
    const ran = await tour(place.path, [], ["setpriv", ...nobody]);
    expectSampleTour(ran);
    expect(ran.stdout).toMatch(/user\s+namespace/);
    expect(ran.stdout).toMatch(/Driver: overlay2/);
    await expectNothingLeft(place.path);
  });

  test("uses vfs where there is no namespace either, and says what is lost", async ({ skip: pass }) => {
    if ((await run("setpriv", [...nobody, program("test"), "-r", layerkitMain])).status !== 0) pass("not readable");
    await using place = await temporary();
    await using bin = await temporary(); // a PATH without unshare(1)
    for (const name of ["sh", "ls", "cat"]) await symlink(program(name), join(bin.path, name));
    const ran = await tour(place.path, [], ["setpriv", ...nobody, "env", `PATH=${bin.path}`]);
    expect(ran.stderr).toBe("");
    expect(ran.status).toBe(0);
    expect(ran.stdout).toMatch(/Driver: vfs/);
    expect(ran.stdout).toMatch(/What is lost/);
    expect(ran.stdout).toContain("D /etc/issue");
    await expectNothingLeft(place.path);
  });

  test.for([3, 10])("interrupted in section %i leaves nothing", async (section) => {
    await using place = await temporary();
    const child = start(place.path);
    const sent = section % 3 ? "SIGINT" : "SIGTERM";
    const ended = await interruptedAt(child, `\n${section}. `, sent);
    expect([sent, 0], "ended by the signal, or just through").toContain(ended);
    await expectNothingLeft(place.path);
  });

  test("stops and leaves nothing when nobody reads on", async () => {
    await using place = await temporary();
    const command = `${process.execPath} ${layerkitMain} tour | head -n 3`;
    const ran = await run("sh", ["-c", command], { env: { TMPDIR: place.path } });
    expect(ran.stderr).toBe("");
    await expectNothingLeft(place.path);
  });

  test("is coloured on a terminal, and not with NO_COLOR", async () => {
    await using place = await temporary();
    const onTerminal = (no: string) =>
      output("script", ["-qec", `${process.execPath} ${layerkitMain} tour`, "/dev/null"], {
        env: { TMPDIR: place.path, NO_COLOR: no, TERM: "xterm" },
      });
    expect(await onTerminal("")).toContain("\x1b[");
    expect(await onTerminal("1")).not.toContain("\x1b");
  });

  test("walks through a given image", async () => {
    await using place = await temporary();
    await using files = await scratch();
    const archive = await spooled(streamOf(await sampleArchive("given:1")), join(files.path, "image.tar"));
    const { status, stdout, stderr } = await tour(place.path, [archive]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain("given:1 has 4 layers");
    await expectNothingLeft(place.path);
  });

  test.skipIf(lacking("skopeo"))("walks through an image that skopeo wrote", async () => {
    await using place = await temporary();
    await using files = await scratch();
    const archive = await spooled(streamOf(await sampleArchive("given:1")), join(files.path, "image.tar"));
    const oci = join(files.path, "oci.tar");
    await output("skopeo", [
      "copy",
      "-q",
      "--insecure-policy",
      `docker-archive:${archive}`,
      `oci-archive:${oci}:given:1`,
    ]);
    const { status, stdout, stderr } = await tour(place.path, [oci]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain(sections.at(-1));
    await expectNothingLeft(place.path);
  });

  test.skipIf(lacking("dockerd", "docker", "containerd", "runc"))(
    "walks through an image that dockerd saved",
    async () => {
      await using place = await temporary();
      await using files = await scratch();
      const archive = await spooled(streamOf(await sampleArchive("given:1")), join(files.path, "image.tar"));
      const saved = join(files.path, "saved.tar");
      await mkdir(join(files.path, "root"));
      {
        await using dockerd = await Dockerd.start(join(files.path, "root"));
        await dockerd.docker("load", "-i", archive);
        await dockerd.docker("save", "-o", saved, "given:1");
      }
      const { status, stdout, stderr } = await tour(place.path, [saved]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toContain("given:1 has 4 layers");
      await expectNothingLeft(place.path);
    },
  );

  test("says in one line what is wrong with a given file", async () => {
    await using place = await temporary();
    const { status, stderr } = await tour(place.path, [layerkitMain]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^layerkit: .*\n$/);
    await expectNothingLeft(place.path);
  });
});

function start(temporary: string): ChildProcess {
  return spawn(process.execPath, [layerkitMain, "tour"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, TMPDIR: temporary },
  });
}

/** Sends the signal as soon as `text` has been printed. @returns exit status, or the signal it ended by */
function interruptedAt(child: ChildProcess, text: string, signal: NodeJS.Signals): Promise<number | string> {
  let printed = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    const before = printed.includes(text);
    printed += chunk.toString();
    if (!before && printed.includes(text)) child.kill(signal);
  });
  return new Promise((resolve) => child.once("close", (status, by) => resolve(status ?? by ?? "unknown")));
}
