import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { atTerminals } from "./oracle/at-terminals.js";
import { Both } from "./oracle/both.js";
import { Client } from "./oracle/client.js";
import { Dockerd, dockerEnvironment } from "./oracle/dockerd.js";
import { Layerkitd } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { sampleArchive } from "./oracle/sample-image.js";
import { loopDisk } from "./oracle/scratch.js";
import { said, stepsOf } from "./oracle/side-by-side.js";
import { Terminal } from "./oracle/terminal.js";

const skip = lacking("root", "mounts", "loop", "dockerd", "docker", "containerd", "runc", "mkfs.ext4", "script");

const none = ["--network", "none", "sample:1"];
const quick = ["run", "--rm", ...none];

/** Says when it runs, answers two signals, and ends by a third. */
const patient = 'trap "exit 5" TERM; trap "echo usr1" USR1; echo started; while :; do sleep 0.1; done';

/** What a user does in a day with containers that run. */
const script = (at: (name: string) => string) =>
  stepsOf([
    [...quick, "sh", "-c", "echo out; echo err >&2; exit 3"],
    [...quick, "sh", "-c", "sleep 0.01; kill -9 $$; exit 4"],
    [...quick, "cat", { options: { input: "nobody reads it\n" } }],
    ["run", "--rm", "-i", ...none, "cat", { options: { input: "piped\nin\n" } }],
    ["run", "--rm", "-i", ...none, "true", { options: { input: Buffer.alloc(1_000_000) } }],
    ["run", "--rm", "-t", ...none, "sh", "-c", "echo at a terminal; echo and >&2"],
    ["run", "--rm", "-w", "/var", "-e", "A=b", "-u", "1:2", ...none, "sh", "-c", "pwd; echo $A; id"],
    ["run", "--rm", "--hostname", "host", "--read-only", ...none, "sh", "-c", "cat /etc/hostname; : > /x"],
    ["run", "--rm", "--entrypoint", "uname", ...none],
    [...quick, "nowhere"],
    [...quick, "/no/such/program"],
    [...quick, "/etc"],
    [...quick, "/etc/app.conf"],
    ["run", "--rm", "-w", "/etc/app.conf", ...none, "true"],
    ["run", "--rm", "-u", "nobodyhere", ...none, "true"],
    ["run", "--pull", "never", "nosuch:1", "true"],
    ["run", "--rm", "--network", "nonet", "sample:1", "true"],
    ["run", "--rm", "-m", "1", ...none, "true"],
    ["run", "--no-such-flag"],
    ["ps", "-aq"],
    ["run", "--name", "bad", ...none, "nowhere"],
    ["ps", "-a", "--format", "{{.Names}} {{.State}} {{.Status}}"],
    ["inspect", "--format", "{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}", "bad"],
    ["start", "bad"],
    ["logs", "bad"],
    ["rm", "bad"],

    ["run", "-d", "--name", "one", "--stop-timeout", "20", ...none, "sh", "-c", patient],
    ["logs", "one", { until: "started" }],
    ["ps", "--format", "{{.Names}} {{.Image}} {{.Command}} {{.State}} {{.Status}} {{.Ports}} {{.Networks}}"],
    ["ps", "-q", "--filter", "status=running", "--filter", "name=one"],
    ["inspect", "--format", "{{.State.Status}} {{.State.Running}} {{.State.Paused}} {{.State.ExitCode}}", "one"],
    ["run", "--name", "one", ...none, "true"],
    ["start", "one"],
    ["rm", "one"],
    ["top", "one", "--bad"],
    ["run", "-d", "--name", "quiet", ...none, "sleep", "1000"],
    ["top", "quiet", "-o", "pid,args"],
    ["top", "quiet", "-o", "args"],
    ["rm", "-f", "quiet"],
    ["exec", "one", "sh", "-c", "echo out; echo err >&2; exit 4"],
    ["exec", "-i", "one", "cat", { options: { input: "piped\n" } }],
    ["exec", "-t", "one", "sh", "-c", "echo at a terminal"],
    ["exec", "-e", "A=b", "-w", "/tmp", "-u", "1:2", "one", "sh", "-c", "echo $A; pwd; id"],
    ["exec", "-d", "one", "true"],
    ["exec", "one", "nowhere"],
    ["exec", "one", "/etc"],
    ["exec", "nothing", "true"],
    ["exec", "one", "sh", "-c", "echo written > /var/written; rm /etc/app.conf"],
    ["diff", "one", { sorted: true }],
    ["cp", at("file"), "one:/var/copied"],
    ["exec", "one", "cat", "/var/copied"],
    ["cp", "one:/var/written", "-", { tar: true }],
    ["commit", "one", "made:1"],
    ["run", "--rm", "--network", "none", "made:1", "sh", "-c", "cat /var/written /var/copied; ls /etc/app.conf"],
    ["kill", "-s", "USR1", "one"],
    ["logs", "one", { until: "usr1" }],
    ["logs", "--tail", "1", "one"],
    ["logs", "--since", "2100-01-01T00:00:00", "one"],
    ["logs", "-t", "one"],
    ["kill", "-s", "FOO", "one"],
    ["pause", "one"],
    ["ps", "--format", "{{.State}} {{.Status}}"],
    ["pause", "one"],
    ["exec", "one", "true"],
    ["unpause", "one"],
    ["unpause", "one"],
    ["stats", "--no-stream", "--format", "{{.Name}} {{.NetIO}}", "one"],
    ["update", "--memory", "64m", "--memory-swap", "-1", "one"],
    ["inspect", "--format", "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}", "one"],
    ["update", "--restart", "on-failure:2", "one"],
    ["inspect", "--format", "{{json .HostConfig.RestartPolicy}}", "one"],
    ["rename", "one", "two"],
    ["port", "two"],
    ["restart", "-t", "20", "two"],
    ["logs", "--tail", "1", "two", { until: "started" }],
    ["stop", "two"],
    ["stop", "two"],
    ["wait", "two"],
    ["inspect", "--format", "{{.State.Status}} {{.State.ExitCode}} {{.State.Pid}} {{.RestartCount}}", "two"],
    ["ps", "-a", "--format", "{{.Names}} {{.State}} {{.Status}}"],
    ["kill", "two"],
    ["pause", "two"],
    ["exec", "two", "true"],
    ["top", "two"],
    ["attach", "two"],
    ["stats", "--no-stream", "--format", "{{.Name}} {{.CPUPerc}} {{.PIDs}}", "two"],
    ["start", "two"],
    ["kill", "two"],
    ["wait", "two"],
    ["start", "two"],
    ["rm", "-f", "two"],
    ["wait", "nothing"],
    ["stop", "nothing"],
    ["kill", "nothing"],
    ["logs", "nothing"],
    ["attach", "nothing"],
    ["ps", "-a"],
  ]);

describe.skipIf(skip)("containers run by the docker command, unchanged", () => {
  test("print with us what they print with dockerd", { timeout: 180_000 }, async () => {
    await using disk = await loopDisk("ext4", "2G");
    const at = (name: string) => join(disk.path, name);
    await writeFile(at("file"), "copied in\n");
    const load = { args: ["load"], options: { input: await sampleArchive("sample:1") } };
    const steps = [load, ...script(at)];
    const [ours, theirs] = await Promise.all([
      said(await Layerkitd.start(at("ours")), steps),
      said(await Dockerd.start(at("theirs")), steps),
    ]);
    for (const [i, { args }] of steps.entries()) {
      expect.soft(ours[i], `docker ${args.join(" ")}`).toEqual(theirs[i]);
    }
  });
});

describe.skipIf(skip)("containers run by the docker command, as with dockerd", () => {
  let both: Both;
  beforeAll(async () => {
    both = await Both.start();
  });
  afterAll(() => both[Symbol.asyncDispose]());

  test("pass streams and statuses", { timeout: 60_000 }, async () => {
    await both.play(async (daemon) => {
      const watched = new Client(daemon, [
        "events",
        "--since",
        "1",
        "--filter",
        "container=io",
        "--format",
        "{{.Action}}",
      ]);
      await daemon.docker(
        "create",
        "-i",
        "--name",
        "io",
        ...none,
        "sh",
        "-c",
        "echo first; cat; echo last >&2; exit 6",
      );
      await watched.until("create\n");
      const started = new Client(daemon, ["start", "-ai", "io"]);
      await started.until("first\n");
      const others = [
        ["logs", "-f", "io"],
        ["attach", "--no-stdin", "io"],
        ["wait", "io"],
      ].map((args) => new Client(daemon, args));
      await others[0]?.until("first\n");
      await watched.until("attach\n", 2);
      started.type("typed\n");
      started.type();
      const ended = await Promise.all([started, ...others].map((client) => client.ended));
      await watched.until("die\n");
      watched.kill("SIGINT");
      expect(ended).toMatchObject([
        { status: 6, stdout: "first\ntyped\n", stderr: "last\n" },
        { status: 0, stdout: "first\ntyped\n", stderr: "last\n" },
        { status: 6, stdout: "typed\n", stderr: "last\n" },
        { status: 0, stdout: "6\n", stderr: "" },
      ]);
      return [ended, (await watched.ended).stdout];
    });
  });

  test("are told the signals of their client, and outlive one that is killed", { timeout: 60_000 }, async () => {
    await both.play(async (daemon) => {
      const client = new Client(daemon, ["run", "--name", "sig", ...none, "sh", "-c", patient]);
      await client.until("started\n");
      client.kill("SIGUSR1");
      await client.until("usr1\n");
      client.kill("SIGKILL");
      await client.ended;
      const again = new Client(daemon, ["logs", "-f", "sig"]);
      await again.until("usr1\n");
      await daemon.docker("kill", "-s", "USR1", "sig");
      await again.until("usr1\n", 2);
      await daemon.docker("stop", "sig");
      expect(await again.ended).toMatchObject({ status: 0, stdout: "started\nusr1\nusr1\n" });
      const run = new Client(daemon, ["run", "--rm", ...none, "sh", "-c", patient]);
      await run.until("started\n");
      run.kill("SIGTERM");
      expect(await run.ended).toMatchObject({ status: 5 });
      return await daemon.docker("ps", "-a", "--format", "{{.Names}} {{.State}}");
    });
  });

  test("take and give as much as there is", { timeout: 60_000 }, async () => {
    const input = Buffer.alloc(16 * 1024 * 1024);
    for (let at = 0; at < input.length; at += 4) input.writeUInt32LE(at, at);
    await both.play(async (daemon) => {
      const { status, bytes } = await daemon.tryDocker(["run", "--rm", "-i", ...none, "cat"], { input });
      expect([status, bytes.equals(input)]).toEqual([0, true]);
    });
  });

  test("have a terminal that is passed on, resized and left", { timeout: 60_000 }, async () => {
    await both.play(async (daemon) => {
      const open = (...args: string[]) =>
        Terminal.open("docker", ["-H", `unix://${daemon.socket}`, ...args], dockerEnvironment.env);
      return await atTerminals(open);
    });
  });
});
