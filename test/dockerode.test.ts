import { once } from "node:events";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import Docker from "dockerode";
import { describe, expect, test } from "vitest";
import { Layerkitd } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { digestOf, rawImage } from "./oracle/raw-image.js";
import { rawTar } from "./oracle/raw-tar.js";
import { output } from "./oracle/run.js";
import { scratch } from "./oracle/scratch.js";

const skip = lacking("root", "mounts");

const layer = rawTar([
  { name: "etc", type: "5" },
  { name: "etc/conf", content: "red\n", mode: 0o640 },
  { name: "etc/link", type: "2", linkname: "conf" },
]);
const archive = rawImage({ tag: "dockerode:1", layers: [layer] });

async function openRig() {
  const place = await scratch();
  const daemon = await Layerkitd.start(join(place.path, "root"));
  const docker = new Docker({ socketPath: daemon.socket });
  const close = async () => {
    await daemon[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  };
  return { docker, daemon, [Symbol.asyncDispose]: close };
}

/** Everything a stream of messages says. */
async function followed(docker: Docker, stream: NodeJS.ReadableStream): Promise<Record<string, unknown>[]> {
  return await new Promise((resolve, reject) => {
    docker.modem.followProgress(stream, (error, messages) => (error ? reject(error) : resolve(messages)));
  });
}

async function bytesOf(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const streamed = (bytes: Buffer): Readable => new PassThrough().end(bytes);

describe.skipIf(skip)("dockerode, unchanged", () => {
  test("goes through the life of images and containers at rest", { timeout: 60_000 }, async () => {
    await using rig = await openRig();
    const { docker } = rig;
    expect(String(await docker.ping())).toBe("OK");
    expect(await docker.info()).toMatchObject({ Driver: "overlay2", Images: 0, OSType: "linux" });

    const said = await followed(docker, await docker.loadImage(streamed(archive), { quiet: true }));
    expect(said).toEqual([{ stream: "Loaded image: dockerode:1\n" }]);
    const images = await docker.listImages({ filters: { reference: ["dockerode"] } });
    expect(images).toMatchObject([{ RepoTags: ["dockerode:1"], Size: 8 }]);
    const image = docker.getImage("dockerode:1");
    expect(await image.inspect()).toMatchObject({ Id: images[0]?.Id, RootFS: { Layers: [digestOf(layer)] } });
    expect(await image.history()).toEqual([]);
    await image.tag({ repo: "localhost:5000/some/where", tag: "2" });
    expect((await docker.getImage("localhost:5000/some/where:2").inspect()).Id).toBe(images[0]?.Id);

    const created = { Image: "dockerode:1", name: "one", Cmd: ["sh", "-c", "true"], HostConfig: { AutoRemove: false } };
    const container = await docker.createContainer({ ...created, Labels: { a: "b" }, Env: ["X=y"] });
    expect(await container.inspect()).toMatchObject({ Name: "/one", Path: "sh", Config: { Env: ["X=y"] } });
    const listed = await docker.listContainers({ all: true, filters: { label: ["a=b"], status: ["created"] } });
    expect(listed).toMatchObject([{ Names: ["/one"], State: "created", Labels: { a: "b" } }]);

    await container.putArchive(streamed(rawTar([{ name: "new", content: "put\n" }])), { path: "/etc" });
    const info = await bytesOf(await container.infoArchive({ path: "/etc/link" }));
    expect(info).toHaveLength(0);
    const got = await bytesOf(await container.getArchive({ path: "/etc/new" }));
    expect(await output("tar", ["-xOf", "-"], { input: got })).toBe("put");
    expect(await container.changes()).toEqual([
      { Path: "/etc", Kind: 0 },
      { Path: "/etc/new", Kind: 1 },
    ]);

    const committed = (await container.commit({
      repo: "made",
      tag: "1",
      changes: "CMD made",
      comment: "by dockerode",
    })) as { Id: string };
    const made = await docker.getImage("made:1").inspect();
    expect(made).toMatchObject({
      Id: committed.Id,
      Comment: "by dockerode",
      Config: { Cmd: ["/bin/sh", "-c", "made"] },
    });
    const exported = await output("tar", ["-tf", "-"], { input: await bytesOf(await container.export()) });
    expect(exported.split("\n")).toEqual(expect.arrayContaining(["etc/conf", "etc/new"]));
    const saved = await bytesOf(await docker.getImage("made:1").get());
    expect(await output("tar", ["-tf", "-"], { input: saved })).toContain("manifest.json");
    expect(await docker.df()).toMatchObject({ LayersSize: expect.any(Number), Volumes: [] });

    await container.rename({ name: "two" });
    await docker.getContainer("two").remove({ v: true, force: true });
    expect(await docker.getImage("made:1").remove({ force: { false: "false" } })).toEqual(
      expect.arrayContaining([{ Untagged: "made:1" }, { Deleted: committed.Id }]),
    );
  });

  test("imports a tar, and repeats its options in the query without harm", async () => {
    await using rig = await openRig();
    const stream = await rig.docker.importImage(streamed(layer), { repo: "imported", tag: "1" });
    const said = await followed(rig.docker, stream as unknown as NodeJS.ReadableStream);
    expect(said).toMatchObject([{ status: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) }]);
    await expect(rig.docker.createContainer({ Image: "imported:1" })).rejects.toMatchObject({ statusCode: 400 });
    const { id } = await rig.docker.createContainer({ Image: "imported:1", Cmd: ["x"] });
    expect(id).toMatch(/^[0-9a-f]{64}$/);
  });

  test("finds failures in status codes and messages", async () => {
    await using rig = await openRig();
    const { docker } = rig;
    await expect(docker.getImage("nope").inspect()).rejects.toMatchObject({ statusCode: 404, reason: "no such image" });
    await expect(docker.getContainer("nope").inspect()).rejects.toMatchObject({
      statusCode: 404,
      json: { message: "No such container: nope" },
    });
    await expect(docker.listImages({ filters: { bogus: ["x"] } })).rejects.toMatchObject({ statusCode: 400 });
    await expect(docker.createService({})).rejects.toMatchObject({ statusCode: 503 });
    const broken = followed(docker, await docker.loadImage(streamed(Buffer.from("no tar at all"))));
    await expect(broken.then((messages) => messages.at(-1))).resolves.toHaveProperty("errorDetail.message");
  });

  test("hears of events as they happen", async () => {
    await using rig = await openRig();
    const events = (await rig.docker.getEvents({ filters: { event: ["tag", "create"] } })) as Readable;
    await followed(rig.docker, await rig.docker.loadImage(streamed(archive)));
    await rig.docker.getImage("dockerode:1").tag({ repo: "again" });
    const [line] = await once(events, "data");
    expect(JSON.parse(String(line))).toMatchObject({
      Type: "image",
      Action: "tag",
      Actor: { Attributes: { name: "again:latest" } },
    });
    events.destroy();
  });
});
