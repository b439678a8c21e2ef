import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { contentDamages } from "./damage/content-damages.js";
import { damages } from "./damage/damages.js";
import { app, type DockerRoot, dockerRoot } from "./damage/docker-root.js";
import { RootAt } from "./damage/root-at.js";
import { Dockerd } from "./oracle/dockerd.js";
import { call } from "./oracle/engine-call.js";
import { Layerkitd, layerkitMain } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { type Ran, run } from "./oracle/run.js";

const why = lacking("root", "mounts", "loop", "dockerd", "docker", "mkfs.xfs");

const layerkit = (...args: readonly string[]): Promise<Ran> => run(process.execPath, [layerkitMain, ...args]);
const withKind = (kind: string) => [...damages, ...contentDamages].find((each) => each.kind === kind)!;

interface Wire {
  readonly Kind: string;
  readonly Severity: string;
  readonly Path: string;
  readonly Images: readonly { readonly Name: string }[];
  readonly Containers: readonly { readonly Name: string }[];
  readonly Remedy: readonly string[];
  readonly Files?: readonly { readonly Path: string; readonly How: string }[];
}

const objects = ({ stdout }: Ran) => stdout.split("\n").flatMap((line) => (line ? (JSON.parse(line) as Wire) : []));

describe.skipIf(why)("layerkit check", () => {
  let root: DockerRoot;
  beforeAll(async () => {
    root = await dockerRoot("overlay2");
  });
  afterAll(() => root?.[Symbol.asyncDispose]());

  async function damaged(...kinds: readonly string[]): Promise<RootAt> {
    const at = new RootAt(await root.copy(), "overlay2");
    for (const kind of kinds) await withKind(kind).make(at);
    return at;
  }

  test("says that nothing is wrong, with status 0, and leaves the root as it is", async () => {
    const listing = () => run("find", [root.path, "-printf", "%p %m %T@ %C@\n"]);
    const before = await listing();
    expect(await layerkit("--root", root.path, "check")).toMatchObject({
      status: 0,
      stdout: `Nothing is wrong with ${root.path} (overlay2).\n`,
      stderr: "",
    });
    const deep = await layerkit("--root", root.path, "check", "--deep");
    expect(deep).toMatchObject({ status: 0, stdout: `Nothing is wrong with ${root.path} (overlay2).\n` });
    expect(deep.stderr.match(/as it should be/g)).toHaveLength(5);
    expect((await listing()).stdout).toBe(before.stdout);
    expect(await layerkit("--root", root.path, "check", "--format", "json")).toMatchObject({ status: 0, stdout: "" });
  });

  test("tells damage with status 1, by name of whom it concerns, for people and for programs", async () => {
    const at = await damaged("link-missing", "foreign");
    const told = await layerkit("--root", at.path, "check");
    expect(told.status).toBe(1);
    expect(told.stdout).toMatch(/^Damage:\n {2}overlay2\/l\/\w{26} {2}\[link-missing\]\n/);
    expect(told.stdout).toMatch(/ {4}images: .*layerkit\/child:2.*\n {4}containers: .*\bran\b/);
    expect(told.stdout).toMatch(/\n1 damage, 1 oddity in /);
    const found = objects(await layerkit("--root", at.path, "check", "--format", "json"));
    expect(found.map(({ Kind, Severity }) => [Kind, Severity])).toEqual([
      ["link-missing", "damage"],
      ["foreign", "oddity"],
    ]);
    expect(found[0]?.Containers.map(({ Name }) => Name).sort()).toEqual(["fresh", "ran", "upper"]);
    expect(found[0]?.Remedy).toHaveLength(1);
  });

  test("takes oddities for no reason to wake anybody", async () => {
    const at = await damaged("foreign");
    expect(await layerkit("--root", at.path, "check")).toMatchObject({ status: 0 });
  });

  test("names files that differ only with --deep", async () => {
    const at = await damaged("layer-content-damaged");
    expect(await layerkit("--root", at.path, "check")).toMatchObject({ status: 0 });
    const ran = await layerkit("--root", at.path, "check", "--deep", "--format", "json");
    expect(ran.status).toBe(1);
    expect(objects(ran)).toMatchObject([
      { Kind: "layer-content-damaged", Files: [{ Path: "etc/passwd", How: "content" }] },
    ]);
  });

  test("cannot check what is no root: status 3 and one line", async () => {
    expect(await layerkit("--root", "/nonexistent", "check")).toMatchObject({
      ...{ status: 3, stdout: "", stderr: "layerkit: there is no data root /nonexistent\n" },
    });
    expect(await layerkit("--root", root.path, "check", "--depth")).toMatchObject({ status: 2 });
  });

  test("reads a root that a dockerd is at work in, and says so", async () => {
    const path = await root.copy();
    await using dockerd = await Dockerd.start(path);
    await dockerd.docker("run", "--detach", "--name", "runs", "--network", "none", app, "sleep", "1000");
    try {
      const told = await layerkit("--root", path, "check");
      expect(told).toMatchObject({ status: 0, stdout: `Nothing is wrong with ${path} (overlay2).\n` });
      expect(told.stderr).toBe(
        `layerkit: a dockerd (process ${dockerd.pid}) is at work in ${path}: ` +
          "what is found may be of a moment in between; check again, or at rest\n",
      );
    } finally {
      await dockerd.docker("rm", "--force", "runs");
    }
  });

  test("asks a daemon that is named", async () => {
    const at = await damaged("layer-content-damaged");
    await using daemon = await Layerkitd.start(at.path);
    rmSync(join(at.container("ran").mount, "work"), { recursive: true });
    const socket = `unix://${daemon.socket}`;
    expect(objects(await layerkit("-H", socket, "check", "--format", "json"))).toMatchObject([
      { Kind: "work-missing" },
    ]);
    const deep = await call(daemon.socket, "/layerkit/check?deep=1");
    const last = JSON.parse(deep.trim().split("\n").at(-1)!) as { aux: { findings: { kind: string }[] } };
    expect(last.aux.findings.map(({ kind }) => kind)).toEqual(["work-missing", "layer-content-damaged"]);
  });
});
