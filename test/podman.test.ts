import { createReadStream } from "node:fs";
import { link, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Engine } from "../src/engine/index.js";
import { Undo } from "../src/spec/index.js";
import { Podman, type ShownImage } from "./oracle/podman.js";
import { lacking } from "./oracle/programs.js";
import { Registry } from "./oracle/registry.js";
import { output } from "./oracle/run.js";
import { collected } from "./oracle/sample-image.js";
import { spooled } from "./oracle/saved-images.js";
import { type Scratch, scratch } from "./oracle/scratch.js";

const dockerfile = `FROM scratch
COPY file link /
COPY dir /dir
ENV X=1
LABEL a=b
CMD ["/file"]
`;
/** What podman makes of one container, images and formats in one. */
const names = ["oci", "docker"];

/** A tree as programs see it: names, kinds, modes, owners, times, links, content and attributes. */
async function treeOf(path: string): Promise<string> {
  const common = "%P %y %m %U:%G %T@";
  const find = [
    path,
    "-mindepth",
    "1",
    "-type",
    "d",
    "-printf",
    `${common}\\n`,
    "-o",
    "-printf",
    `${common} %n %s %l\\n`,
  ];
  const lines = (await output("find", find)).split("\n").sort().join("\n");
  const sums = await output("sh", ["-c", "find . -type f | sort | xargs sha256sum"], { cwd: path });
  return `${lines}\n${sums}\n${await output("getfattr", ["-R", "-h", "-d", "-m", "^user", "."], { cwd: path })}`;
}

/** What a later layer has to say: a file and a directory gone, one in the place of another, links, an attribute. */
async function change(path: string, by: string): Promise<void> {
  const at = (name: string) => join(path, name);
  for (const name of ["file", "hard", "fifo"]) await rm(at(name), { force: true });
  await rm(at("dir"), { recursive: true });
  await mkdir(at("dir"));
  await writeFile(at("dir/new"), by, { mode: 0o600 });
  await link(at("dir/new"), at("hard"));
  await output("mkfifo", [at("fifo")]);
  await output("chown", ["5:6", at("dir")]);
  await output("setfattr", ["-n", "user.note", "-v", "kept", at("dir/new")]);
}

describe.skipIf(lacking("root", "mounts", "podman", "docker-registry", "setfattr"))("podman", () => {
  const undo = new Undo();
  let place: Scratch;
  let registry: Registry;
  let theirs: Podman;
  let engine: Engine;
  const at = (name: string) => join(place.path, name);

  beforeAll(async () => {
    place = await scratch("/dev/shm");
    undo.defer(() => place[Symbol.asyncDispose]());
    registry = await Registry.start();
    undo.defer(() => registry[Symbol.asyncDispose]());
    theirs = await Podman.open(at("theirs"));
    undo.defer(() => theirs[Symbol.asyncDispose]());
    engine = await Engine.open({ root: at("ours"), driver: "overlay2", report: () => {} });
    undo.defer(() => engine[Symbol.asyncDispose]());
    await mkdir(at("context/dir"), { recursive: true });
    for (const name of ["file", "dir/one", "dir/two"]) await writeFile(at(`context/${name}`), `${name}\n`);
    await symlink("file", at("context/link"));
    await writeFile(at("context/Dockerfile"), dockerfile);
    await theirs.podman("build", "--quiet", "--network", "none", "--tag", "localhost/built:1", at("context"));
    await theirs.podman("create", "--name", "changed", "localhost/built:1");
    await change(await theirs.podman("mount", "changed"), "podman");
    await theirs.podman("umount", "changed");
    for (const format of names)
      await theirs.podman("commit", "--quiet", "--format", format, "changed", `localhost/${format}:1`);
  }, 30_000);
  afterAll(() => undo[Symbol.asyncDispose]());

  function ours(name: string): Promise<ShownImage> {
    return engine.images.inspect(name).then(({ Id, RootFS }) => ({ id: Id, diffIDs: RootFS.Layers ?? [] }));
  }

  /** By way of a registry, or of an archive in the given form; `other` gets the image in the same way. */
  async function sent(name: string, way: string, other: Podman): Promise<string> {
    const local = `localhost/${name}:1`;
    if (way === "pull") {
      const remote = `${registry.host}/${name}:1`;
      await theirs.podman("push", "--quiet", "--tls-verify=false", local, remote);
      await other.podman("pull", "--quiet", "--tls-verify=false", remote);
      await collected(engine.images.pull(remote));
      return remote;
    }
    const file = at(`${name}-${way}.tar`);
    await theirs.podman("save", "--quiet", "--format", way, "--output", file, local);
    await other.podman("load", "--quiet", "--input", file);
    await collected(engine.images.load(createReadStream(file)));
    return local;
  }

  test.for(["pull", "docker-archive", "oci-archive"])("and layerkit get one image by %s", async (way) => {
    await using other = await Podman.open(at(way));
    for (const name of names) {
      const come = await sent(name, way, other);
      // Whoever turns one format into the other writes another config: what podman itself gets is what counts.
      expect(await ours(come)).toEqual(await other.image(come));
      const [top] = engine.layers.ofImage(come);
      await using mounted = await engine.layers.mount(top!.chainID);
      expect(await treeOf(mounted.path)).toBe(await theirs.looking(`localhost/${name}:1`, treeOf));
    }
    for (const { Id } of await engine.images.list({ all: true })) await engine.images.remove(Id, { force: true });
    expect(engine.layers.list()).toEqual([]);
  });

  test("has what layerkit pushed and saved", async () => {
    await using other = await Podman.open(at("other"));
    const base = await sent("oci", "pull", other);
    const { Id } = await engine.containers.create({ Image: base }, { name: "changed" });
    {
      await using mounted = await engine.containers.mount(Id);
      await change(mounted.path, "layerkit");
    }
    const name = `${registry.host}/back:1`;
    await engine.containers.commit(Id, { repo: `${registry.host}/back`, tag: "1" });
    const [top] = engine.layers.ofImage(name);
    await using mounted = await engine.layers.mount(top!.chainID);
    await collected(engine.images.push(name));
    await spooled(await engine.images.save([name]), at("back.tar"));
    for (const [way, ...args] of [
      ["pull", "--tls-verify=false", name],
      ["load", "--input", at("back.tar")],
    ] as const) {
      await using fresh = await Podman.open(at(`fresh-${way}`));
      await fresh.podman(way, "--quiet", ...args);
      expect(await fresh.image(name)).toEqual(await ours(name));
      expect(await fresh.looking(name, treeOf)).toBe(await treeOf(mounted.path));
    }
  });
});
