import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { atTerminals } from "./oracle/at-terminals.js";
import { dockerEnvironment } from "./oracle/dockerd.js";
import { Layerkitd, layerkitMain } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { type Ran, type RunOptions, run } from "./oracle/run.js";
import { sampleArchive } from "./oracle/sample-image.js";
import { scratch } from "./oracle/scratch.js";
import { Terminal } from "./oracle/terminal.js";

const skip = lacking("root", "mounts", "docker 28", "runc", "script");

const none = ["--network", "none", "sample:1"];
const patient = 'trap "exit 5" TERM; echo started; while :; do sleep 0.1; done';

const layerkit = (where: readonly string[], args: readonly string[], options?: RunOptions) =>
  run(process.execPath, [layerkitMain, ...where, ...args], { timeoutMs: 60_000, ...options });

/** Commands with the same output and status from docker and from us; `c` is running. */
const shared: readonly (readonly [args: readonly string[], options?: RunOptions])[] = [
  [["run", "--rm", ...none, "sh", "-c", "echo out; echo err >&2; exit 3"]],
  [["run", "--rm", "-i", ...none, "cat"], { input: "piped\n" }],
  [["run", "--rm", "-i", ...none, "true"], { input: Buffer.alloc(1_000_000) }],
  [["run", "--rm", "-t", ...none, "sh", "-c", "echo at a terminal"]],
  [["run", "--rm", "-a", "stderr", ...none, "sh", "-c", "echo out; echo err >&2"]],
  [["run", "--rm", ...none, "nowhere"]],
  [["run", "--no-such-flag"]],
  [["exec", "cc", "sh", "-c", "echo out; echo err >&2; exit 4"]],
  [["exec", "-i", "cc", "cat"], { input: "piped\n" }],
  [["exec", "-e", "A=b", "-w", "/var", "-u", "1:2", "cc", "sh", "-c", "echo $A; pwd; id"]],
  [["exec", "-d", "cc", "true"]],
  [["exec", "cc", "nowhere"]],
  [["logs", "cc"]],
  [["logs", "-t", "--tail", "1", "cc"]],
  [["top", "cc", "-o", "args,pid"]],
  [["port", "cc"]],
  [["pause", "cc"]],
  [["unpause", "cc"]],
  [["update", "--restart", "no", "--pids-limit", "100", "cc"]],
  [["restart", "-t", "20", "cc"]],
  [["stop", "cc"]],
  [["wait", "cc"]],
  [["attach", "cc"]],
  [["kill", "cc"]],
  [["start", "cc", "nothing"]],
  [["kill", "-s", "KILL", "cc"]],
  [["start", "-a", "cc-ended"]],
];

describe.skipIf(skip)("layerkit runs containers", () => {
  let place: Awaited<ReturnType<typeof scratch>>;
  let daemon: Layerkitd;
  const where: string[] = [];
  beforeAll(async () => {
    place = await scratch();
    daemon = await Layerkitd.start(join(place.path, "root"));
    where.push("-H", `unix://${daemon.socket}`);
    await daemon.tryDocker(["load"], { input: await sampleArchive("sample:1") });
  });
  afterAll(async () => {
    await daemon[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  test("and prints what docker prints, and ends as it ends", { timeout: 120_000 }, async () => {
    const play = async (name: string, command: (args: readonly string[], options?: RunOptions) => Promise<Ran>) => {
      await daemon.docker("run", "-d", "--name", name, ...none, "sh", "-c", patient);
      await daemon.docker("create", "--name", `${name}-ended`, ...none, "sh", "-c", "echo said; exit 7");
      while (!(await daemon.docker("logs", name)).includes("started"));
      const all: unknown[] = [];
      for (const [args, options] of shared) {
        const { status, stdout } = await command(
          args.map((arg) => arg.replace(/^cc/, name)),
          options,
        );
        const lines = stdout
          .replaceAll(name, "cc")
          .replace(/[\d-]+T[\d:.]+Z|\d+$/gm, "N")
          .split("\n");
        all.push([args.join(" "), status, lines.filter((line) => !line.startsWith("sleep"))]);
      }
      await daemon.docker("rm", "-f", name, `${name}-ended`);
      return all;
    };
    const [theirs, ours] = await Promise.all([
      play("theirs", (args, options) => daemon.tryDocker(args, options)),
      play("ours", (args, options) => layerkit(where, args, options)),
    ]);
    expect(ours).toEqual(theirs);
  });

  test("with statuses of its own for what is wrong before", { timeout: 60_000 }, async () => {
    const cid = join(place.path, "cid");
    const made = await layerkit(where, ["run", "--rm", "--cidfile", cid, ...none, "sh", "-c", "exit 1"]);
    expect([made.status, (await readFile(cid, "utf8")).length]).toEqual([1, 64]);
    for (const [args, status, said] of [
      [["run", "--cidfile", cid, ...none, "true"], 125, `layerkit: --cidfile ${cid}: the file is there`],
      [["run", "-it", ...none, "sh"], 1, "layerkit: the input device is not a TTY"],
      [["run", "-d", "-a", "stdout", ...none, "sh"], 125, "layerkit: --detach and --attach say opposite things"],
      [["run", "--rm", "--restart", "always", ...none, "sh"], 125, "layerkit: --rm and --restart"],
      [["run", "--ulimit", "x", ...none, "sh"], 125, "layerkit: --ulimit x: want NAME=SOFT[:HARD]"],
      [["run", "--ip", "172.17.0.9", ...none, "true"], 125, "layerkit: --ip is not supported: "],
      [["run", "--network-alias", "x", ...none, "true"], 125, "layerkit: --network-alias is not supported: "],
      [["run", "--link", "x:y", ...none, "true"], 125, "layerkit: --link is not supported: "],
      [["run", "--mac-address", "zz", ...none, "true"], 125, "layerkit: invalid MAC address: zz"],
      [
        ["run", "--rm", "--gpus", "all", ...none, "true"],
        125,
        'could not select device driver "" with capabilities: [[gpu]]',
      ],
      [["run", "--detach-keys", "ab", ...none, "sh"], 125, "layerkit: --detach-keys ab"],
      [["-H", "unix:///no/where", "run", ...none, "sh"], 125, "layerkit: several -H are for serve"],
      [["update", "cc"], 2, "layerkit: nothing to change"],
      [["exec", "-it", "cc", "sh"], 1, "layerkit: the input device is not a TTY"],
    ] as const) {
      const ran = await layerkit(where, args);
      expect([ran.status, ran.stderr], args.join(" ")).toEqual([status, expect.stringContaining(said)]);
    }
    expect(await daemon.docker("ps", "-aq")).toBe("");
  });

  test("at terminals as docker does", { timeout: 120_000 }, async () => {
    const docker = (...args: string[]) => Terminal.open("docker", [...where, ...args], dockerEnvironment.env);
    const own = (...args: string[]) => Terminal.open(process.execPath, [layerkitMain, ...where, ...args]);
    const [theirs, ours] = await Promise.all([atTerminals(docker, "theirs"), atTerminals(own, "ours")]);
    await daemon.docker("rm", "theirs", "ours");
    const said = (each: unknown) => (typeof each === "string" ? each.replace("layerkit: ", "") : each);
    expect(ours.map(said)).toEqual(theirs);
  });

  test("passes signals on, or leaves the container to itself", { timeout: 60_000 }, async () => {
    for (const [options, signal, outcome, left] of [
      [["--rm"], "SIGTERM", [5, null], ""],
      [["--name", "left", "--sig-proxy=false"], "SIGINT", [null, "SIGINT"], "left running"],
    ] as const) {
      const child = spawn(process.execPath, [layerkitMain, ...where, "run", ...options, ...none, "sh", "-c", patient]);
      const ended = once(child, "close");
      await once(child.stdout, "data");
      child.kill(signal);
      expect(await ended).toEqual(outcome);
      expect(await daemon.docker("ps", "-a", "--format", "{{.Names}} {{.State}}")).toBe(left);
    }
    await daemon.docker("rm", "-f", "left");
  });
});

describe.skipIf(skip)("without a daemon", () => {
  test("containers are run, and go on when the command has ended", { timeout: 120_000 }, async () => {
    await using place = await scratch();
    const root = join(place.path, "root");
    const own = (...args: string[]) => layerkit(["--root", root], args);
    await layerkit(["--root", root], ["load"], { input: await sampleArchive("sample:1") });
    expect(await own("run", "--rm", ...none, "sh", "-c", "echo out; exit 3")).toMatchObject({
      status: 3,
      stdout: "out\n",
    });
    const { stdout: id } = await own("run", "-d", "--name", "on", ...none, "sh", "-c", `cat /given; ${patient}`);
    expect(id).toMatch(/^[0-9a-f]{64}\n$/);
    while (!(await own("logs", "on")).stdout.includes("started"));
    expect(await own("exec", "on", "sh", "-c", "echo kept > /kept; exit 4")).toMatchObject({ status: 4 });
    expect((await own("ps", "--format", "json")).stdout).toContain('"State":"running"');
    expect((await own("diff", "on")).stdout).toContain("A /kept\n");
    expect(await own("rm", "on")).toMatchObject({ status: 1, stderr: expect.stringContaining("running container") });
    const waiting = own("wait", "on");
    expect(await own("stop", "on")).toMatchObject({ status: 0, stdout: "on\n" });
    expect(await waiting).toMatchObject({ status: 0, stdout: "5\n" });
    expect(await own("rm", "on")).toMatchObject({ status: 0 });
    expect((await own("ps", "-a", "-q")).stdout).toBe("");
    expect(existsSync(join(root, "containers", id.trim()))).toBe(false);
  });
});
