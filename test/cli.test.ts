import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Layerkitd, layerkitMain } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { digestOf, rawImage } from "./oracle/raw-image.js";
import { rawTar } from "./oracle/raw-tar.js";
import { output, type RunOptions, run } from "./oracle/run.js";
import { scratch } from "./oracle/scratch.js";

const skip = lacking("root", "mounts", "docker 28");

async function openRig() {
  const place = await scratch();
  const daemon = await Layerkitd.start(join(place.path, "root"));
  const layers = ["one", "two"].map((name) => rawTar([{ name, content: `${name}\n`.repeat(1000) }]));
  const created = "2024-05-06T07:08:09.123456789Z";
  const history = layers.map((_, i) => ({
    created,
    created_by: `/bin/sh -c step ${i} && ${"and more ".repeat(i * 9)}`,
  }));
  const rootfs = { type: "layers", diff_ids: layers.map(digestOf) };
  const empty = { created, created_by: "CMD x", comment: "by hand", empty_layer: true };
  const config = JSON.stringify({ architecture: "amd64", os: "linux", created, history: [...history, empty], rootfs });
  await daemon.tryDocker(["load"], { input: rawImage({ tag: "cli:1", layers, config }) });
  await daemon.tryDocker(["load"], { input: rawImage({ tag: "ageless:1", layers }) });
  const layerkit = (args: readonly string[], options?: RunOptions) =>
    run(process.execPath, [layerkitMain, "-H", `unix://${daemon.socket}`, ...args], options);
  const close = async () => {
    await daemon[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  };
  return { path: place.path, daemon, layerkit, [Symbol.asyncDispose]: close };
}

/** Commands that docker has as well, and ours where it is called otherwise. */
const shared: [docker: string[], ours?: string[]][] = [
  [["images"]],
  [["images", "-a", "--no-trunc"]],
  [["images", "-q"]],
  [["images", "--digests"]],
  [["images", "cli"]],
  [["images", "--filter", "reference=c*:1", "--filter", "dangling=false"]],
  [["images", "nothing"]],
  [["history", "cli:1"]],
  [
    ["history", "--no-trunc", "--human=false", "cli:1"],
    ["history", "--no-trunc", "--human", "false", "cli:1"],
  ],
  [["history", "-q", "made:1"]],
  [["history", "ageless:1"]],
  [["ps"]],
  [["ps", "-a"]],
  [["ps", "-as"]],
  [["ps", "-aq", "--no-trunc"]],
  [["ps", "-l"]],
  [["ps", "-n", "1", "-q"]],
  [["ps", "-a", "--filter", "name=^/tw", "--filter", "status=created"]],
  [["diff", "one"]],
  [["inspect", "one"]],
  [["inspect", "cli:1"]],
  [["inspect", "bridge"]],
  [["inspect", "--type", "image", "cli:1"]],
];

describe.skipIf(skip)("commands that docker has", () => {
  test("print what docker prints", { timeout: 120_000 }, async () => {
    await using rig = await openRig();
    const { docker } = rig.daemon;
    await rig.layerkit([
      "create",
      "--name",
      "one",
      "-e",
      "A=b",
      "--label",
      "x=y",
      "cli:1",
      "sh",
      "-c",
      "a long command",
    ]);
    await rig.layerkit(["create", "--name", "two", "-v", "/data", "cli:1", "x"]);
    await writeFile(join(rig.path, "file"), "new\n");
    await rig.layerkit(["cp", join(rig.path, "file"), "one:/new"]);
    await rig.layerkit(["commit", "-m", "made", "one", "made:1"]);
    await docker.call(rig.daemon, "tag", "made:1", "localhost:5000/other:2");
    for (const [theirs, ours = theirs] of shared) {
      const [said, wanted] = await Promise.all([rig.layerkit(ours), rig.daemon.tryDocker(theirs)]);
      expect.soft(settled(said.stdout), `layerkit ${ours.join(" ")}`).toEqual(settled(wanted.stdout));
      expect.soft(said.status).toBe(wanted.status);
    }
  });

  test("with --format json have docker's fields and values", async () => {
    await using rig = await openRig();
    await rig.layerkit(["create", "--name", "one", "--label", "x=y", "cli:1", "x", "y z"]);
    for (const args of [["images"], ["ps", "-a"], ["ps", "-as"], ["history", "cli:1"]]) {
      const [ours, theirs] = await Promise.all([
        rig.layerkit([...args, "--format", "json"]),
        rig.daemon.docker(...args, "--format", "json"),
      ]);
      const parsed = (text: string) => settled(text).map((line) => JSON.parse(line) as Record<string, unknown>);
      // What the docker command makes of fields the daemon no longer sends.
      const wanted = parsed(theirs).map(({ VirtualSize, Platform, ...fields }) => fields);
      expect(parsed(ours.stdout), args.join(" ")).toEqual(wanted);
    }
  });

  test("create asks for what docker create asks for", { timeout: 60_000 }, async () => {
    await using rig = await openRig();
    await writeFile(join(rig.path, "env"), "# a comment\nFROM_FILE=1\n\n  INDENTED=2\nHOME\n");
    const flags = [
      [],
      ["-e", "A=b=c", "-e", "HOME", "-e", "NOT_SET_HERE", "--env-file", join(rig.path, "env"), "-l", "x=y", "-l", "z"],
      ["-w", "/tmp", "-u", "1:2", "-h", "host", "--entrypoint", "sh", "--stop-signal", "SIGINT", "-t", "-i"],
      ["-v", "/data", "-v", "/etc:/host:ro", "-v", "named:/named", "--tmpfs", "/run:size=1m", "--read-only", "--init"],
      ["--network", "none", "--rm", "--privileged", "--cap-add", "SYS_ADMIN", "--cap-drop", "ALL"],
      ["--restart", "on-failure:3"],
      [
        ...[
          "-m",
          "64m",
          "--memory-swap=-1",
          "--cpus",
          "1.5",
          "-c",
          "512",
          "--pids-limit",
          "100",
          "--cpuset-cpus",
          "0,1",
        ],
        ...["--memory-reservation", "32M", "--oom-score-adj", "-5", "--stop-timeout", "3", "--shm-size", "1g"],
        ...["--ulimit", "nofile=10:20", "--ulimit", "nproc=5", "--device", "/dev/null", "--device", "/dev/zero:/z:r"],
        ...["--device-cgroup-rule", "c 1:3 rwm", "--group-add", "7", "--runtime", "runc", "--annotation", "a=b"],
        ...["--log-driver", "json-file", "--log-opt", "max-size=1m", "--log-opt", "max-file=3"],
      ],
      [
        ...["-p", "80", "-p", "8080:80/udp", "-p", "127.0.0.1:1000-1002:2000-2002", "-p", "[::1]::90", "-P"],
        ...["--expose", "9000-9002", "--expose", "53/udp", "--dns", "10.0.0.1", "--dns-search", "a.b"],
        ...["--dns-option", "ndots:2", "--add-host", "h:1.2.3.4", "--domainname", "d", "--sysctl", "net.x=1"],
        ...["--health-cmd", "true", "--health-interval", "1m30s", "--health-timeout", "5s", "--health-retries", "2"],
        ...["--security-opt", "no-new-privileges", "--security-opt", "seccomp=unconfined", "-a", "stdout", "-i"],
      ],
      [
        ...["--mount", "type=bind,src=/etc,dst=/m,readonly", "--mount", "type=tmpfs,target=/t,tmpfs-size=1m"],
        ...["--mount", "type=volume,source=vol,target=/v,volume-nocopy,volume-label=a=b", "--volumes-from", "l0:ro"],
        ...["--pid", "host", "--ipc", "none", "--uts", "host", "--cgroupns", "host", "--cgroup-parent", "/p"],
        ...["--security-opt", "systempaths=unconfined", "--no-healthcheck", "--cpu-period", "100000"],
      ],
    ];
    for (const [i, options] of flags.entries()) {
      const command = ["cli:1", "echo", "-e", "--rm"];
      const made = await rig.layerkit(["create", "--name", `l${i}`, ...options, ...command]);
      expect(made).toMatchObject({ status: 0, stderr: "" });
      await rig.daemon.docker("create", "--name", `d${i}`, ...options, ...command);
      const asked = (name: string) =>
        rig.daemon.docker("inspect", name).then((text) => told(JSON.parse(text, unlessEmpty)[0]));
      expect.soft(await asked(`l${i}`), options.join(" ")).toEqual(await asked(`d${i}`));
    }
  });

  test("move images and file systems through files and pipes", { timeout: 60_000 }, async () => {
    await using rig = await openRig();
    const file = join(rig.path, "saved.tar");
    expect(await rig.layerkit(["save", "-o", file, "cli:1"])).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const piped = await rig.layerkit(["save", "cli:1"]);
    expect(piped.bytes.equals(await readFile(file))).toBe(true);
    expect(await rig.layerkit(["rmi", "cli:1"])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^Untagged: cli:1\nDeleted: sha256:/),
    });
    expect(await rig.layerkit(["load"], { input: piped.bytes })).toMatchObject({
      status: 0,
      stdout: "Loaded image: cli:1\n",
    });

    await rig.layerkit(["create", "--name", "one", "cli:1", "x"]);
    const exported = await rig.layerkit(["export", "one"]);
    expect(await output("tar", ["-xOf", "-", "one"], { input: exported.bytes })).toBe("one\n".repeat(1000).trim());
    const imported = await rig.layerkit(["import", "-c", 'CMD ["y"]', "-m", "mine", "-", "imported:1"], {
      input: exported.bytes,
    });
    expect(imported).toMatchObject({ status: 0, stdout: expect.stringMatching(/^sha256:[0-9a-f]{64}\n$/) });
    expect(await rig.daemon.docker("inspect", "--format", "{{.Comment}} {{.Config.Cmd}}", "imported:1")).toBe(
      "mine [y]",
    );
    expect(await rig.layerkit(["export", "-o", join(rig.path, "no/such/file"), "one"])).toMatchObject({ status: 1 });
    expect(await rig.layerkit(["rename", "one", "two"])).toMatchObject({ status: 0, stdout: "" });
    expect(await rig.layerkit(["rm", "two", "nope"])).toMatchObject({
      status: 1,
      stdout: "two\n",
      stderr: "layerkit: No such container: nope\n",
    });
    expect(await rig.layerkit(["prune", "-a", "-f"])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/Deleted Images:[\s\S]*Total reclaimed space: \S+B\n$/),
    });
    expect(await rig.daemon.docker("images", "-q")).toBe("");
  });
});

describe.skipIf(skip)("an archive that cannot be finished", () => {
  test("ends in a line that says why, and in no file", async () => {
    await using rig = await openRig();
    const { stdout } = await rig.layerkit(["layers", "-q", "cli:1"]);
    await writeFile(join(stdout.split("\n")[0] ?? "", "two"), "no longer what was loaded\n");
    const saved = await rig.layerkit(["save", "-o", join(rig.path, "saved.tar"), "cli:1"]);
    expect(saved).toMatchObject({ status: 1, stderr: expect.stringMatching(/^layerkit: layer sha256:.*two.*\n$/) });
    expect(await readdir(rig.path)).toEqual(["root"]);
    const piped = await rig.layerkit(["save", "cli:1"]);
    expect(piped).toMatchObject({ status: 1, stderr: saved.stderr });
  });
});

describe.skipIf(skip)("a root that another process serves", () => {
  test("can be looked into with --read-only, and is not changed", async () => {
    await using rig = await openRig();
    const root = join(rig.path, "root");
    const reading = (...args: string[]) =>
      run(process.execPath, [layerkitMain, "--root", root, "--read-only", ...args]);
    expect((await reading("images", "-q")).stdout).toBe((await rig.layerkit(["images", "-q"])).stdout);
    const saved = await reading("save", "cli:1");
    expect(saved).toMatchObject({ status: 0, stderr: "" });
    expect(await rig.layerkit(["save", "cli:1"]).then(({ bytes }) => bytes.equals(saved.bytes))).toBe(true);
    expect(await reading("rmi", "cli:1")).toMatchObject({ status: 1, stderr: expect.stringContaining("read only") });
    expect((await rig.layerkit(["images", "-q"])).stdout.split("\n")).toHaveLength(3);
  });
});

describe.skipIf(skip)("commands of our own", () => {
  test("layers tells where each layer lies", async () => {
    await using rig = await openRig();
    await rig.layerkit(["create", "--name", "one", "cli:1", "x"]);
    const { stdout } = await rig.layerkit(["layers", "--no-trunc", "--format", "json", "one"]);
    const layers = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, string>);
    expect(layers.map(({ Use }) => Use)).toEqual(["container", "init", "layer", "layer"]);
    expect(await readFile(join(layers[2]?.Directory ?? "", "two"), "utf8")).toContain("two");
    expect(await readFile(join(layers[3]?.Directory ?? "", "one"), "utf8")).toContain("one");
  });

  test("mount shows the merged view for as long as the daemon serves it, umount takes it back", async () => {
    await using rig = await openRig();
    await rig.layerkit(["create", "--name", "one", "cli:1", "x"]);
    const { stdout } = await rig.layerkit(["mount", "one"]);
    await mkdir(join(stdout.trim(), "made"));
    expect(await rig.daemon.docker("diff", "one")).toBe("A /made");
    expect((await rig.layerkit(["mount"])).stdout).toContain(stdout.trim());
    expect(await rig.layerkit(["umount", "one"])).toMatchObject({ status: 0, stdout: "one\n" });
    expect(await rig.layerkit(["umount", "one"])).toMatchObject({
      status: 1,
      stderr: "layerkit: container one is not mounted\n",
    });
  });
});

/** What is wrong on the command line exits with 2, what the daemon refuses with 1; each in one line. */
const refused: [args: string[], status: number, says: RegExp][] = [
  [["bogus"], 2, /unknown command/],
  [["images", "--bogus"], 2, /unknown option/],
  [["tag", "one"], 2, /missing required argument/],
  [["images", "--format", "{{.ID}}"], 2, /Go templates are not/],
  [["images", "--filter", "dangling"], 2, /want KEY=VALUE/],
  [["-H", "tcp://1.2.3.4", "images"], 2, /want unix:/],
  [["-H", "unix:///nonexistent", "images"], 2, /several -H are for serve/],
  [["images", "--filter", "bogus=1"], 1, /[Ii]nvalid filter/],
  [["history", "nothing"], 1, /No such image/],
  [["load", "-i", "/nonexistent"], 1, /ENOENT.*\/nonexistent/],
];

describe.skipIf(skip)("the command line", () => {
  test("what cannot be is told in one line", { timeout: 60_000 }, async () => {
    await using rig = await openRig();
    for (const [args, status, says] of refused) {
      const ran = await rig.layerkit(args);
      expect.soft(ran, args.join(" ")).toMatchObject({ status, stdout: "", stderr: expect.stringMatching(says) });
      if (status === 1) expect.soft(ran.stderr).toMatch(/^layerkit: [^\n]*\n$/);
    }
  });

  test("a socket on which nobody answers is named", async () => {
    const ran = await run(process.execPath, [layerkitMain, "-H", "unix:///nonexistent", "images"]);
    expect(ran).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^layerkit: no daemon answers on \/nonexistent.*\n$/),
    });
  });

  test("--debug adds the stack, a closed pipe is no failure", async () => {
    await using rig = await openRig();
    expect((await rig.layerkit(["-D", "history", "nothing"])).stderr).toMatch(/No such image[\s\S]*\n {4}at /);
    const piped = `"${process.execPath}" "${layerkitMain}" -H unix://${rig.daemon.socket} save cli:1 | head -c 1 >/dev/null; echo \${PIPESTATUS[0]}`;
    expect((await run("bash", ["-c", piped])).stdout).toBe("0\n");
  });

  test("an archive is not written to a terminal, nor read from one", async () => {
    await using rig = await openRig();
    const command = `"${process.execPath}" "${layerkitMain}" -H unix://${rig.daemon.socket}`;
    for (const words of ["save cli:1", "export x", "load", "import -"]) {
      const ran = await run("script", ["-qec", `${command} ${words}`, "/dev/null"], { input: "" });
      expect(ran, words).toMatchObject({
        status: 2,
        stdout: expect.stringMatching(/refusing to write|nothing to read/),
      });
    }
  });
});

/** `null`, `[]` and `{}` mean the same. */
function unlessEmpty(_: string, value: unknown): unknown {
  return value !== null && typeof value === "object" && Object.keys(value).length === 0 ? null : value;
}

/** What of an inspection comes from the request. */
function told({ Config, HostConfig, Path, Args, Mounts }: Record<string, unknown>) {
  const { Hostname, Env, ...rest } = Config as Record<string, unknown>;
  // The docker command sends variables and binds in random order.
  const config = { ...rest, Env: [...((Env ?? []) as string[])].sort() };
  const { Binds, ...others } = HostConfig as Record<string, unknown>;
  const hostConfig = { ...others, Binds: Binds && [...(Binds as string[])].sort() };
  const mounts = ((Mounts ?? []) as Record<string, unknown>[]).map(({ Name, Source, ...mount }) => mount);
  // A host name that was not asked for is the container's own id.
  return { ...{ hostConfig, Path, Args, mounts, config }, Hostname: /^[0-9a-f]{12}$/.test(`${Hostname}`) || Hostname };
}

/** Lines, in any order: docker's is random for names of one image. Ages go by between two commands. */
function settled(text: string): string[] {
  const aged = text.replace(/(Less than a second|About an? \w+|\d+ \w+) ago */g, "AGO ").replace(/N\/A +/g, "N/A ");
  return aged
    .replace(/ +(?=STATUS|CREATED BY|SIZE)/g, " ")
    .trim()
    .split("\n")
    .sort();
}
