import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { idle, own, used } from "../src/config/keys.js";
import { Dockerd } from "./oracle/dockerd.js";
import { Layerkitd, layerkitMain } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { run } from "./oracle/run.js";
import { scratch } from "./oracle/scratch.js";

const page = fileURLToPath(new URL("../../docs/configuration.md", import.meta.url));

/** What dockerd and `layerkit serve` say to a file and flags with which neither starts. */
async function bothOn(directory: string, config: object, flags: readonly string[] = []) {
  const file = join(directory, "daemon.json");
  await writeFile(file, JSON.stringify(config));
  const [docker, layerkit] = await Promise.all([
    run("dockerd", ["--config-file", file, ...flags], { timeoutMs: 20_000 }),
    run(process.execPath, [layerkitMain, "--config-file", file, "serve", "--validate", ...flags]),
  ]);
  expect([docker.status === 0, layerkit.status]).toEqual([false, 1]);
  return { docker: docker.stderr.trim(), layerkit: layerkit.stderr.trim() };
}

/** The first of a few values that the kind takes. */
function sampleOf(kind: (node: never, name: string) => unknown): unknown {
  for (const value of [true, 1, "", [], {}]) {
    const fits = { list: Array.isArray(value) && "list", object: typeof value === "object" && "object" };
    const node = { at: 0, kind: fits.list || fits.object || "plain", value, items: [], fields: [] };
    try {
      kind(node as never, "");
      return value;
    } catch {}
  }
  return "info";
}

test("a value that cannot be is told in dockerd's words, with its place", async () => {
  await using directory = await scratch();
  const said = async (entry: string, number: number) => {
    const file = join(directory.path, `${number}.json`);
    await writeFile(file, `{\n  "debug": true,\n  ${entry}\n}`);
    const { stderr } = await run(process.execPath, [layerkitMain, "--config-file", file, "serve", "--validate"]);
    return stderr.split("\n")[0]?.replace(`layerkit: config file ${file}: line 3, `, "");
  };
  const wrong: Readonly<Record<string, string>> = {
    '"registry-mirrors": ["x"]': 'column 23: invalid mirror: unsupported scheme "" in "x"',
    '"insecure-registries": ["a/b"]': 'column 26: insecure registry a/b is not valid: invalid host "a/b"',
    '"labels": ["x"]': "column 13: bad attribute format: x",
    '"labels": ["a=1", "a=2"]': "column 13: conflict labels for a=2 and a=1",
    '"runtimes": {"runc": {"path": "x"}}': "column 15: runtime name 'runc' is reserved",
    '"default-runtime": "other"': "column 22: specified default runtime 'other' does not exist",
    '"storage-driver": "zfs"': "column 21: no storage driver 'zfs': there are overlay2, overlay, vfs",
    '"storage-opts": ["overlay2.sise=1"]': "column 19: overlay2: unknown option overlay2.sise",
    '"hosts": ["fd://", "x"]': 'column 12: invalid host "x": want unix:///PATH/TO/SOCKET, or for serve fd://',
  };
  const told = await Promise.all(Object.keys(wrong).map(said));
  expect(told).toEqual(Object.values(wrong));
});

test("what a driver would refuse is found beforehand", async () => {
  const validate = (...flags: string[]) => run(process.execPath, [layerkitMain, "serve", "--validate", ...flags]);
  const said = [
    await validate("--storage-driver", "zfs"),
    await validate("--storage-opt", "overlay2.sise=1"),
    await validate("--storage-opt", "overlay2.size=1G"),
  ].map(({ status, stderr }) => [status, stderr.trim()]);
  expect(said).toEqual([
    [1, expect.stringMatching(/^layerkit: no storage driver 'zfs': there are overlay2, /)],
    [1, "layerkit: overlay2: unknown option overlay2.sise"],
    [0, "configuration OK"],
  ]);
});

test("the documentation names every key that means something", () => {
  const said = readFileSync(page, "utf8");
  expect(Object.keys({ ...used, ...own }).filter((key) => !said.includes(`\`${key}\``))).toEqual([]);
});

describe.skipIf(lacking("dockerd"))("beside dockerd", () => {
  test("its keys are ours, of the same kinds, and its flags have theirs", async () => {
    await using directory = await scratch();
    const samples = Object.entries({ ...idle, ...used }).map(([key, kind]) => [key, sampleOf(kind)] as const);
    const words = { "default-shm-size": "64M", "default-ipc-mode": "private", "default-cgroupns-mode": "host" };
    const all = { ...Object.fromEntries(samples), ...words };
    const unknown = await bothOn(directory.path, { ...all, bogus: 1 });
    expect(unknown.docker).toMatch(/don't match any configuration option: bogus$/);
    expect(unknown.layerkit).toMatch(/don't match any configuration option: bogus$/);
    // Only when it has taken all values it comes to this one.
    const valued = await bothOn(directory.path, { ...all, "max-concurrent-downloads": -1 });
    expect(valued.docker).toMatch(/invalid max concurrent downloads: -1$/);

    const help = (await run("dockerd", ["--help"])).stdout;
    const flags = [...help.matchAll(/ --([a-z0-9-]+)/g)].map(([, flag = ""]) => flag);
    const others: Readonly<Record<string, string>> = { "add-runtime": "runtimes" };
    const names = (flag: string) => [flag, `${flag}s`, flag.replace(/y$/, "ies"), others[flag] ?? ""];
    const without = flags.filter((flag) => !names(flag).some((key) => key in all));
    // What is printed of `--add-host` is the explanation of another flag.
    expect(new Set(without)).toEqual(new Set(["config-file", "help", "add-host", "version"]));
  });

  test("what is set twice is refused in the same words", async () => {
    await using directory = await scratch();
    const config = {
      debug: false,
      hosts: ["unix:///a"],
      "insecure-registries": ["a", "b"],
      "max-concurrent-uploads": 2,
    };
    const flags = [
      "-D",
      "--insecure-registry=x",
      "--insecure-registry=y",
      "-H",
      "unix:///b",
      "--max-concurrent-uploads=1",
    ];
    const said = await bothOn(directory.path, { ...config, "storage-driver": "vfs", "shutdown-timeout": 15 }, [
      ...flags,
      "--storage-driver=overlay2",
    ]);
    const words = /the following directives are specified both as a flag and in the configuration file: .*/;
    expect(words.exec(said.layerkit)?.[0]).toBe(words.exec(said.docker)?.[0]);
    expect(said.layerkit.split("\n")[0]).toMatch(words);
  });

  test.skipIf(lacking("root", "mounts", "docker"))("a reload changes the same, and a bad file nothing", async () => {
    await using directory = await scratch("/dev/shm");
    const file = join(directory.path, "daemon.json");
    const write = (config: object) => writeFile(file, JSON.stringify(config));
    const first = {
      "insecure-registries": ["a.example:5000"],
      labels: ["a=b"],
      "log-level": "info",
      "shutdown-timeout": 15,
    };
    await write(first);
    const args = ["--config-file", file];
    await using docker = await Dockerd.start(join(directory.path, "docker"), { args });
    await using layerkit = await Layerkitd.start(join(directory.path, "layerkit"), args);
    const told = layerkit.log.match(/.*level=warning.*/g);
    expect(told).toEqual([expect.stringMatching(/no effect here have shutdown-timeout/)]);

    const fields = "{{json .RegistryConfig}} {{json .Debug}} {{json .Labels}} {{json .DefaultRuntime}}";
    const info = (daemon: Dockerd | Layerkitd) => daemon.docker("info", "--format", fields);
    const custom = (daemon: Dockerd | Layerkitd) => daemon.docker("info", "--format", "{{json .Runtimes.other}}");
    const both = async () => [await info(layerkit), await custom(layerkit)];
    const dockers = async () => [await info(docker), await custom(docker)];
    const before = await both();
    expect(before).toEqual(await dockers());

    await write({
      ...{
        "insecure-registries": ["b.example", "10.0.0.0/8"],
        "registry-mirrors": ["https://mirror.example"],
        debug: true,
      },
      ...{ labels: ["c=d"], "max-concurrent-downloads": 1, "default-runtime": "other", "shutdown-timeout": 15 },
      ...{ runtimes: { other: { path: "/bin/other", runtimeArgs: ["--x"] } }, "log-level": "info" },
    });
    await reloaded(docker);
    await reloaded(layerkit);
    const after = await both();
    expect(after).not.toEqual(before);
    expect(after).toEqual(await dockers());
    expect(layerkit.log).toMatch(/level=debug msg=request/);
    expect(layerkit.log.match(/no effect here/g)).toHaveLength(1);

    await writeFile(file, '{"debug": false,\n "labels": [1]}');
    const noted = layerkit.log.length;
    await reloaded(layerkit, /nothing has changed/);
    expect(layerkit.log.slice(noted)).toMatch(/level=error .*line 2, column 13: labels\[0\] must be a text, not 1/);
    expect(await both()).toEqual(after);
  });
});

/** Asks a daemon to read its configuration again, and waits until it says so. */
async function reloaded(daemon: Dockerd | Layerkitd, what = /Reloaded configuration/): Promise<void> {
  const log = async () => (typeof daemon.log === "string" ? daemon.log : await daemon.log());
  const from = (await log()).length;
  process.kill(daemon.pid, "SIGHUP");
  while (!what.test((await log()).slice(from))) await new Promise(setImmediate);
}
