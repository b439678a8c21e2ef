import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Dockerd } from "./oracle/dockerd.js";
import { dockerArchive } from "./oracle/image-archives.js";
import { configOf, layerTar } from "./oracle/image-stores.js";
import { Layerkitd } from "./oracle/layerkitd.js";
import { putOddManifests } from "./oracle/odd-manifests.js";
import { lacking } from "./oracle/programs.js";
import { Registry } from "./oracle/registry.js";
import { output, type Ran, type RunOptions } from "./oracle/run.js";
import { loopDisk, type Scratch } from "./oracle/scratch.js";
import { user } from "./oracle/token-service.js";

const skip = lacking(
  ...["root", "mounts", "loop", "dockerd", "docker", "containerd", "runc", "mkfs.ext4"],
  ...["docker-registry", "skopeo", "openssl"],
);

/** Images of seven layers, more than go at once: one to be loaded, one that is in a registry. */
const [loaded, pulled] = ["image", "came"].map((name) => {
  const layers = [1, 2, 3, 4, 5, 6, 7].map((n) => layerTar({ [`file${n}`]: randomBytes(n * 10_000) }));
  return dockerArchive([{ layers, config: configOf(layers, { config: { Cmd: ["sh"] } }), tags: [`${name}:1`] }]);
});

interface Daemon extends AsyncDisposable {
  readonly socket: string;
  tryDocker(args: readonly string[], options?: RunOptions): Promise<Ran>;
  docker(...args: readonly string[]): Promise<string>;
}

interface Registries {
  readonly open: Registry;
  readonly basic: Registry;
  readonly tokens: Registry;
}

const starts = { dockerd: (root: string) => Dockerd.start(root), layerkit: (root: string) => Layerkitd.start(root) };

/** What is pushed, by either daemon, to registries of its own. */
const script = ({ open, basic, tokens }: Registries): string[][] => [
  ["load", "-q", "-i", "image.tar"],
  ...[`${open.host}/a:1`, `${open.host}/a:2`, `${open.host}/team/b:1`, "127.0.0.1:1/a:1"].map((to) => [
    "tag",
    "image:1",
    to,
  ]),
  ...[basic, tokens].map(({ host }) => ["tag", "image:1", `${host}/a:1`]),
  ["push", `${open.host}/a:1`],
  ["push", `${open.host}/a:1`],
  ["push", "-a", `${open.host}/a`],
  ["push", `${open.host}/team/b:1`],
  ["push", "-q", `${open.host}/team/b:1`],
  ["push", `${open.host}/team/b`],
  ["push", `${open.host}/none:1`],
  ["push", `${open.host}/a:none`],
  ["push", "127.0.0.1:1/a:1"],
  ["push", `${basic.host}/a:1`],
  ["push", `${tokens.host}/a:1`],
  ["login", "-u", user.username, "-p", "guess", basic.host],
  ["login", "-u", user.username, "-p", "guess", tokens.host],
  ["--config", "login", "login", "-u", user.username, "-p", user.password, basic.host],
  ["--config", "login", "push", `${basic.host}/a:1`],
  ["--config", "login", "login", "-u", user.username, "-p", user.password, tokens.host],
  ["--config", "login", "push", `${tokens.host}/a:1`],
  ["rmi", `${open.host}/a:1`, `${open.host}/a:2`, `${open.host}/team/b:1`, `${basic.host}/a:1`],
  ["pull", "-q", `${open.host}/came:1`],
  ["tag", `${open.host}/came:1`, `${open.host}/goes:1`],
  ["push", `${open.host}/goes:1`],
];

describe.skipIf(skip)("docker push", () => {
  let disk: Scratch;
  const shown = new Map<string, string[]>();
  const registries = new Map<string, Registries>();
  const asked = new Map<string, unknown[]>();
  const all: AsyncDisposable[] = [];

  beforeAll(async () => {
    disk = await loopDisk("ext4", "1G");
    await writeFile(join(disk.path, "image.tar"), loaded!);
    await writeFile(join(disk.path, "came.tar"), pulled!);
    for (const [name, start] of Object.entries(starts)) {
      const here = {
        open: await Registry.start(),
        basic: await Registry.start({ auth: "basic" }),
        tokens: await Registry.start({ auth: "token" }),
      };
      all.push(...Object.values(here));
      registries.set(name, here);
      await here.open.fill(join(disk.path, "came.tar"), "came:1");
      await using daemon: Daemon = await start(join(disk.path, name));
      const lines: string[] = [];
      for (const args of script(here)) {
        const ran = await daemon.tryDocker(args, { cwd: disk.path, timeoutMs: 30_000 });
        lines.push(...linesOf(args, ran, here));
      }
      shown.set(name, lines);
      asked.set(name, await answersAbout(registries.get("dockerd")!, daemon));
    }
  }, 120_000);
  afterAll(async () => {
    for (const each of all) await each[Symbol.asyncDispose]();
    await disk[Symbol.asyncDispose]();
  });

  test("prints what it prints with dockerd", () => {
    expect(shown.get("layerkit")).toEqual(shown.get("dockerd"));
  });

  test("sends an image that came from a registry as it came, in the manifest that dockerd makes", async () => {
    const manifests = await Promise.all([...registries].map(([name, { open }]) => manifestsOf(name, open)));
    for (const { came, goes } of manifests) expect(layersIn(goes)).toEqual(layersIn(came));
    expect(manifests[0]!.goes).toBe(manifests[1]!.goes);
  });

  test("is told what a registry has as with dockerd, and the platform of OCI images too", () => {
    const [theirs, ours] = [asked.get("dockerd")!, asked.get("layerkit")!];
    const [{ Platforms }] = theirs as [{ Platforms: unknown }];
    expect(Platforms).toMatchObject([{ os: "linux" }]);
    expect(ours).toEqual(theirs.with(1, { ...(theirs[1] as object), Platforms }));
  });

  /** Copied by skopeo, which verifies everything. */
  async function manifestsOf(daemon: string, registry: Registry): Promise<Record<"came" | "goes", string>> {
    const copied = async (name: string) => {
      const to = join(disk.path, `${daemon}-${name}`);
      await output("skopeo", [
        "copy",
        "-q",
        "--src-tls-verify=false",
        `docker://${registry.host}/${name}:1`,
        `dir:${to}`,
      ]);
      return await readFile(join(to, "manifest.json"), "utf8");
    };
    return { came: await copied("came"), goes: await copied("goes") };
  }
});

/** What a daemon answers about names in registries: descriptor and platforms, or status and why. */
async function answersAbout({ open, basic, tokens }: Registries, { socket }: Daemon): Promise<unknown[]> {
  const docker = new Docker({ socketPath: socket });
  const tags = await putOddManifests(`http://${open.host}/v2/came`);
  const known = tags.map((tag) => `${open.host}/came:${tag}`);
  const strange = ["came", "came:nope", `came@sha256:${"0".repeat(64)}`, "none:1"].map(
    (name) => `${open.host}/${name}`,
  );
  const names: [string, object?][] = [...known, ...strange, `${tokens.host}/a:1`, "UPPER"].map((name) => [name]);
  names.push([`${basic.host}/a:1`, { ...user, password: "guess" }], [`${basic.host}/a:1`, user]);
  names.push([`${tokens.host}/a:1`, user]);
  const answers: unknown[] = [];
  for (const [name, authconfig] of names) {
    const answer = docker.getImage(name).distribution(authconfig && { authconfig });
    answers.push(await answer.catch(({ statusCode, json }) => [statusCode, plainly(json.message)]));
  }
  return answers;
}

/** Of several lines the first failure; without what was asked for. */
function plainly(message: string): string {
  const [first = ""] = message.split("\n").filter((line) => line !== "errors:");
  return first.replace(/: "UPPER"$/, "");
}

function layersIn(manifest: string): unknown {
  return (JSON.parse(manifest) as { layers: unknown }).layers;
}

/** Without ports, ids of this run and order where that is by chance. */
function linesOf(
  args: readonly string[],
  { status, stdout, stderr }: Ran,
  { open, basic, tokens }: Registries,
): string[] {
  const hosts = Object.entries({ open: open.host, basic: basic.host, tokens: tokens.host });
  const plain = (text: string) =>
    hosts
      .reduce((all, [name, host]) => all.replaceAll(host, name), text)
      .replaceAll(/(digest: |@)sha256:\w+/g, "$1DIGEST");
  const lines = plain(stdout + stderr)
    .split("\n")
    .filter((line) => line !== "" && !/WARNING|credential|Configure/.test(line));
  const waiting = (line: string) => / Waiting$/.test(line);
  const kept = args.includes("push") ? lines.filter((line) => !waiting(line)).sort() : lines;
  return [`$ docker ${plain(args.join(" "))} (${status})`, ...kept];
}
