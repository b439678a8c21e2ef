import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { open } from "../src/index.js";
import { mediaTypes, sha256, Undo } from "../src/spec/index.js";
import { Dockerd } from "./oracle/dockerd.js";
import { dockerArchive } from "./oracle/image-archives.js";
import { configOf, layerTar } from "./oracle/image-stores.js";
import { Layerkitd } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { Registry } from "./oracle/registry.js";
import { leftovers } from "./oracle/root-leftovers.js";
import { output, type Ran } from "./oracle/run.js";
import { collected, sampleAnswer, sampleArchive, sampleSays } from "./oracle/sample-image.js";
import { loopDisk, type Scratch } from "./oracle/scratch.js";

const needs = [
  "root",
  "mounts",
  "loop",
  "dockerd",
  "docker",
  "containerd",
  "runc",
  "mkfs.ext4",
  "docker-registry",
  "skopeo",
];

interface Daemon extends AsyncDisposable {
  tryDocker(args: readonly string[]): Promise<Ran>;
  docker(...args: readonly string[]): Promise<string>;
}

const created = "2024-05-06T07:08:09Z";
const layers = ["one", "two", "three", "four"].map((name, at) => layerTar({ [name]: name.repeat(at * 100_000) }));
const empty = Buffer.alloc(1024);
const images: Readonly<Record<string, readonly Buffer[]>> = {
  "t/com:1": layers.slice(0, 2),
  "t/com:2": layers.slice(0, 3),
  "t/com:3": [layers[0]!, empty, layers[1]!, empty],
  "t/other:latest": [layers[0]!, layers[3]!],
};

describe.skipIf(lacking(...needs))("docker pull", () => {
  const undo = new Undo();
  let disk: Scratch;
  let registry: Registry;
  beforeAll(async () => {
    disk = await loopDisk("ext4", "2G");
    undo.defer(() => disk[Symbol.asyncDispose]());
    registry = await Registry.start();
    undo.defer(() => registry[Symbol.asyncDispose]());
    for (const [name, tars] of Object.entries(images)) {
      const config = configOf(tars, { created, config: { Labels: { name }, Cmd: ["x"] } });
      await fill(name, dockerArchive([{ layers: tars, config, tags: [name] }]));
    }
    await fill("t/sample:1", await sampleArchive("sample:1"));
  }, 60_000);
  afterAll(() => undo[Symbol.asyncDispose]());

  async function fill(name: string, archive: Buffer, options?: readonly string[]): Promise<void> {
    const file = join(disk.path, "archive.tar");
    await writeFile(file, archive);
    await registry.fill(file, name, options);
  }

  const at = (name: string) => `${registry.host}/${name}`;

  test("of layerkit's daemon says and leaves what dockerd's does", { timeout: 60_000 }, async () => {
    await using ours = await Layerkitd.start(join(disk.path, "ours"));
    await using theirs: Daemon = await Dockerd.start(join(disk.path, "theirs"));
    let digest = "";
    const steps: (() => string[])[] = [
      () => ["pull", at("t/com:1")],
      () => ["pull", at("t/com:1")],
      () => ["pull", at("t/com:2")],
      () => ["pull", "-q", at("t/other")],
      () => ["pull", at("t/other")],
      () => ["inspect", "-f", "{{index .RepoDigests 0}}", at("t/com:1")],
      () => ["pull", digest],
      () => ["rmi", at("t/com:1")],
      () => ["pull", "-q", digest],
      () => ["pull", "-a", at("t/com")],
      () => ["pull", "-a", at("t/com")],
      () => ["pull", at("t/com:nope")],
      () => ["pull", at("t/none")],
      () => ["pull", "-a", at("t/none")],
      () => ["pull", at("t/UPPER")],
      () => ["images", "--digests", "--no-trunc", "--format", "{{.Repository}} {{.Tag}} {{.Digest}} {{.ID}}"],
      ...Object.keys(images).map((name) => () => ["inspect", "-f", shown, at(name)]),
      () => ["inspect", "-f", shown, digest],
      () => ["rmi", at("t/com:3")],
      () => ["create", "--name", "made", at("t/com:3")],
      () => ["create", "--name", "none", at("t/none:1")],
    ];
    for (const step of steps) {
      const args = step();
      const [mine, other] = [await ours.tryDocker(args), await theirs.tryDocker(args)];
      expect(said(mine), args.join(" ")).toEqual(said(other));
      if (args.includes("{{index .RepoDigests 0}}")) digest = mine.stdout.trim();
    }
  });

  test("on a root that the other engine pulled into finds everything there", { timeout: 60_000 }, async () => {
    const root = join(disk.path, "both");
    const upToDate = (name: string) => expect.stringContaining(`Status: Image is up to date for ${at(name)}`);
    const exists = (text: string) => text.split("\n").filter((line) => line.endsWith(": Already exists")).length;
    let digest: string;
    {
      await using ours = await Layerkitd.start(root);
      await ours.docker("pull", at("t/com:1"));
      await ours.docker("pull", at("t/sample:1"));
      digest = await ours.docker("inspect", "-f", "{{index .RepoDigests 0}}", at("t/com:1"));
    }
    expect(await leftovers(root)).toEqual([]);
    {
      await using theirs = await Dockerd.start(root);
      expect(await theirs.docker("inspect", "-f", "{{index .RepoDigests 0}}", at("t/com:1"))).toBe(digest);
      expect(await theirs.docker("pull", at("t/com:1"))).toEqual(upToDate("t/com:1"));
      expect(exists(await theirs.docker("pull", at("t/com:2")))).toBe(2);
      expect(exists(await theirs.docker("pull", at("t/other")))).toBe(1);
      expect(await theirs.docker("run", "--network=none", "--name", "worker", at("t/sample:1"), ...sampleSays)).toBe(
        sampleAnswer,
      );
      await theirs.docker("commit", "worker", "made:1");
      await theirs.docker("rm", "worker");
    }
    {
      await using ours = await Layerkitd.start(root);
      for (const name of ["t/com:1", "t/com:2", "t/other:latest"]) {
        expect(await ours.docker("pull", at(name))).toEqual(upToDate(name));
      }
      expect(exists(await ours.docker("pull", at("t/com:3")))).toBe(1);
      await ours.docker("inspect", "made:1");
      await ours.docker("rmi", "made:1");
    }
    expect(await leftovers(root)).toEqual([]);
  });

  test.for([
    ["oci", "gzip", mediaTypes.ociLayerGzip],
    ["oci", "zstd", mediaTypes.ociLayerZstd],
    ["v2s2", "gzip", mediaTypes.dockerLayerGzip],
  ] as const)("takes what skopeo makes: %s, %s", { timeout: 60_000 }, async ([form, compression, mediaType]) => {
    const name = `t/${form}:${compression}`;
    // Of a layer that the registry has already skopeo makes no other form.
    const layer = layerTar({ [name]: "content" });
    const archive = dockerArchive([{ layers: [layer], tags: [name] }]);
    await fill(name, archive, ["-f", form, "--dest-compress-format", compression]);
    expect(await output("skopeo", ["inspect", "--raw", "--tls-verify=false", `docker://${at(name)}`])).toContain(
      mediaType,
    );
    await using root = await open({ root: join(disk.path, `${form}-${compression}`) });
    await collected(root.images.pull(at(name)));
    expect((await root.images.inspect(at(name))).RootFS.Layers).toEqual([sha256(layer)]);
  });
});

const shown =
  "{{json .Id}} {{json .RepoTags}} {{json .RepoDigests}} {{json .Config.Labels}} {{.Size}} {{json .RootFS}} {{.Metadata.LastTagTime}}";

/** What does not depend on chance, or on the machine: of messages that come too fast dockerd drops all but the last. */
function said({ status, stdout, stderr }: Ran) {
  const passing = /: (Waiting|Verifying Checksum|Download complete)$|^[0-9a-f]{64}$|^WARNING: IPv4 forwarding/;
  const lines = (text: string) => text.split("\n").filter((line) => !passing.test(line));
  return { status, stdout: lines(stdout).sort(), stderr: lines(stderr).sort() };
}
