import { once } from "node:events";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { Engine } from "../src/engine/index.js";
import { Layerkitd } from "./oracle/layerkitd.js";
import { listing } from "./oracle/listing.js";
import { lacking } from "./oracle/programs.js";
import { digestOf, type RawImage, rawImage } from "./oracle/raw-image.js";
import { type RawEntry, rawTar } from "./oracle/raw-tar.js";
import { collected, streamOf } from "./oracle/sample-image.js";
import { type Scratch, scratch } from "./oracle/scratch.js";

const skip = lacking("root", "mounts");

const good = rawTar([
  { name: "etc/", type: "5" },
  { name: "etc/good", content: "good\n" },
]);

/** The second of two layers is the bad one, so that what is refused is not merely an empty store. */
const second = (...entries: RawEntry[]): RawImage => ({ layers: [good, rawTar(entries)] });
const file = (name: string, more: Partial<RawEntry> = {}): RawEntry => ({ name, content: "bad\n", ...more });

interface Bad {
  readonly what: string;
  readonly archive: Buffer;
  /** What the one line has to name. */
  readonly says: readonly (string | RegExp)[];
}

const layer2 = /layer(-| )2/;

function badLayer(what: string, image: RawImage, ...says: (string | RegExp)[]): Bad {
  return { what, archive: rawImage(image), says: [layer2, ...says] };
}

function badArchive(
  what: string,
  image: Omit<RawImage, "layers"> & Partial<RawImage>,
  ...says: (string | RegExp)[]
): Bad {
  return { what, archive: rawImage({ layers: [good], ...image }), says };
}

const whole = rawImage(second(file("fine")));
const long = "n".repeat(256);
const large = Buffer.alloc(1 << 20, "0123456789abcdef");
const packed = gzipSync(rawTar([file("big", { content: large })]));
const corrupt = Buffer.from(packed);
corrupt.fill(0xff, packed.length >> 1, (packed.length >> 1) + 64);

const refused: readonly Bad[] = [
  { what: "an archive cut in a layer", archive: whole.subarray(0, 2048), says: [/truncated|ends|cut/] },
  { what: "an archive cut in a header", archive: whole.subarray(0, 700), says: [/truncated|ends|cut|no manifest/] },
  { what: "what is no archive", archive: Buffer.alloc(5000, "no tar at all "), says: [/tar/] },
  { what: "a gzip archive cut short", archive: gzipSync(whole).subarray(0, -20), says: [/truncated|corrupt|gzip/] },
  { what: "an empty archive", archive: Buffer.alloc(1024), says: [/manifest/] },
  badLayer(
    "a layer cut short",
    { layers: [good, rawTar([file("cut", { content: large })]).subarray(0, 70_000)] },
    "cut",
  ),
  badLayer("a gzip layer cut short", { layers: [good, packed.subarray(0, -30)] }, /truncated|corrupt|gzip/),
  badLayer("a corrupt gzip layer", { layers: [good, corrupt] }, /corrupt|gzip|invalid/),
  badLayer("a wrong header checksum", second(file("sum", { checksumError: 1 })), /checksum/),
  badArchive(
    "a wrong diff id",
    { ...second(file("x")), diffIDs: [digestOf(good), digestOf(Buffer.from("x"))] },
    /layer 1: expected "?sha256:.*got|layer 2/,
  ),
  badLayer("a size beyond the archive", second(file("liar", { size: 1 << 30 })), "liar"),
  badLayer(
    "a size no number",
    second(file("liar", { header: (head) => head.write("12x4567890\0", 124) })),
    /size|number/,
  ),
  badLayer("a negative size", second(file("liar", { header: (head) => head.fill(0xff, 124, 136) })), "liar"),
  badLayer("a size that lies in PAX", second(file("liar", { pax: { size: "99999999999999999999" } })), /size|liar/),
  badLayer("a name with ..", second(file("../outside")), "../outside"),
  badLayer("a name that climbs from inside", second(file("a/../../outside")), "a/../../outside"),
  badLayer(
    "a hard link out of the layer",
    second({ name: "ln", type: "1", linkname: "../../outside" }),
    "ln",
    "../../outside",
  ),
  badLayer("a hard link to nothing", second({ name: "ln", type: "1", linkname: "nothing" }), "ln", "nothing"),
  badLayer(
    "overlay's opaque xattr",
    second(file("x", { pax: { "SCHILY.xattr.trusted.overlay.opaque": "y" } })),
    "x",
    "trusted.overlay.opaque",
  ),
  badLayer(
    "overlay's redirect xattr",
    second(file("x", { pax: { "SCHILY.xattr.trusted.overlay.redirect": "/etc" } })),
    "trusted.overlay.redirect",
  ),
  badLayer(
    "overlay's user xattr",
    second(file("x", { pax: { "SCHILY.xattr.user.overlay.whiteout": "y" } })),
    "user.overlay.whiteout",
  ),
  badLayer("a device 0:0", second({ name: "dev0", type: "3", device: [0, 0] }), "dev0", /0:0/),
  badLayer("a name too long", second(file("short", { pax: { path: long } })), /n{30}/),
  badLayer("a path too long", second(file("short", { pax: { path: `${"d/".repeat(2500)}f` } })), /path|name/),
  badLayer("a file where a directory is needed", second(file("f"), file("f/below")), '"f"'),
  badLayer("two entries of one name", second(file("twice"), file("twice")), "twice"),
  badLayer("a type that is none", second(file("odd", { type: "S" })), "odd"),
  badLayer(
    "extended headers without end",
    second(file("x", { pax: { comment: "c".repeat(2 << 20) } })),
    /extended|header|PAX/i,
  ),
  badLayer("a layer that is not there", { ...second(file("x")), without: [2] }, /layer-2\.tar/),
  badArchive("a manifest that is no JSON", { manifest: "{" }, /manifest/),
  badArchive("a manifest that is no list", { manifest: '{"Config":1}' }, /manifest/),
  badArchive("a manifest of wrong types", { manifest: '[{"Config":5,"Layers":"x"}]' }, /manifest/),
  badArchive(
    "a manifest with more layers",
    { manifest: '[{"Config":"config.json","Layers":["layer-1.tar","layer-1.tar"]}]' },
    /layer/,
  ),
  badArchive("a manifest that leads out", { manifest: '[{"Config":"../../etc/passwd","Layers":[]}]' }, /passwd/),
  badArchive(
    "a config that is not there",
    { manifest: '[{"Config":"none.json","Layers":["layer-1.tar"]}]' },
    /none\.json/,
  ),
  badArchive("a config that is no JSON", { config: "not json" }, /config/),
  badArchive("a config without rootfs", { config: '{"os":"linux"}' }, /rootfs/i),
  badArchive(
    "a config for another system",
    { config: JSON.stringify({ os: "plan9", rootfs: { type: "layers", diff_ids: [digestOf(good)] } }) },
    /plan9/,
  ),
  badArchive("a config with a wrong digest", { diffIDs: ["sha256:short"] }, /digest|diff_id/),
  badArchive("a config with a digest that climbs", { diffIDs: [`sha256:../${"a".repeat(61)}`] }, /digest|diff_id/),
  badArchive("a tag that is none", { tag: "UPPER case" }, /UPPER case/),
  badArchive("a tag without name", { tag: ":1" }, /:1/),
];

/** Taken in, as dockerd does, but all inside the layer. */
const confined: readonly { what: string; entries: RawEntry[]; outside: string }[] = [
  { what: "an absolute name", entries: [file("/OUTSIDE/absolute")], outside: "absolute" },
  {
    what: "a path through an absolute symlink",
    entries: [{ name: "link", type: "2", linkname: "/OUTSIDE" }, file("link/through")],
    outside: "through",
  },
  {
    what: "a path through a climbing symlink",
    entries: [{ name: "up", type: "2", linkname: "../../../../../../../../../../OUTSIDE" }, file("up/climbed")],
    outside: "climbed",
  },
  {
    what: "a hard link through a symlink",
    entries: [
      { name: "link", type: "2", linkname: "/OUTSIDE" },
      { name: "ln", type: "1", linkname: "link/secret" },
    ],
    outside: "ln",
  },
  {
    what: "a symlink replaced by a file",
    entries: [{ name: "secret", type: "2", linkname: "/OUTSIDE/secret" }, file("secret")],
    outside: "none",
  },
];

describe.skipIf(skip).for(["overlay2", "vfs"])("bad input, %s", (driver) => {
  let root: Scratch;
  let outside: string;
  let engine: Engine;

  const load = (archive: Buffer) => collected(engine.images.load(streamOf(archive)));

  beforeAll(async () => {
    root = await scratch();
    outside = join(root.path, "outside");
    await mkdir(outside);
    await writeFile(join(outside, "secret"), "secret\n");
    await symlink("secret", join(outside, "link"));
    engine = await Engine.open({ root: join(root.path, "data"), driver });
    // Some directories are made with the first layer.
    await load(rawImage({ layers: [good], tag: "first:1" }));
    await engine.images.remove("first:1");
    return async () => {
      await engine[Symbol.asyncDispose]();
      await root[Symbol.asyncDispose]();
    };
  });

  test.for(refused)("$what is refused in one line that names it", async ({ archive, says }) => {
    const before = await listing(root.path);
    const error = await load(archive).then(
      () => new Error("it was taken"),
      (thrown: unknown) => thrown as Error,
    );
    for (const part of says) expect(error.message).toMatch(part);
    expect(error.message).not.toMatch(/it was taken|\n/);
    expect(error.message.length).toBeLessThan(600);
    expect(await listing(root.path), "nothing stays behind").toEqual(before);
    expect(await engine.images.list({ all: true })).toEqual([]);
  });

  test.for(confined)("$what touches nothing outside the layer", async ({ entries, outside: name }) => {
    const before = await listing(outside);
    const away = (text: string | Buffer | undefined) => String(text ?? "").replaceAll("/OUTSIDE", outside);
    const moved = entries.map((entry) => ({
      ...entry,
      name: away(entry.name),
      ...(entry.linkname !== undefined && { linkname: away(entry.linkname) }),
    }));
    await load(rawImage({ layers: [good, rawTar(moved)] })).catch((error: Error) => {
      expect(error.message).toMatch(layer2);
    });
    expect(await listing(outside), name).toEqual(before);
    expect(await readFile(join(outside, "secret"), "utf8")).toBe("secret\n");
    for (const { Id } of await engine.images.list({ all: true })) await engine.images.remove(Id, { force: true });
  });

  test("after all of them a good image loads", async () => {
    await load(rawImage({ layers: [good], tag: "good:1" }));
    expect((await engine.images.list()).map(({ RepoTags }) => RepoTags)).toEqual([["good:1"]]);
    await engine.images.remove("good:1");
  });
});

describe.skipIf(skip)("bad input to the daemon", () => {
  test("ends in one message each, and the daemon goes on", { timeout: 60_000 }, async () => {
    await using place = await scratch();
    await using daemon = await Layerkitd.start(join(place.path, "data"));
    for (const { what, archive } of refused) {
      const answer = await post(daemon.socket, "/images/load?quiet=1", archive);
      expect(answer, what).toMatch(/"(errorDetail|message)":/);
    }
    expect(await post(daemon.socket, "/images/load?quiet=1", rawImage({ layers: [good], tag: "good:1" }))).toContain(
      "Loaded image: good:1",
    );
    for (const [path, body] of wrongRequests) {
      expect(await post(daemon.socket, path, Buffer.from(body)), path).toMatch(/^\{"message":"[^\n]+"\}\n?$/);
    }
    expect(await post(daemon.socket, "/containers/create", Buffer.from('{"Image":"good:1","Cmd":["x"]}'))).toMatch(
      /"Id"/,
    );
  });
});

const wrongRequests: readonly (readonly [path: string, body: string])[] = [
  ["/containers/create", "{"],
  ["/containers/create", "[]"],
  ["/containers/create", '{"Image":5}'],
  ["/containers/create", '{"Image":"good:1","Cmd":{"a":1}}'],
  ["/containers/create?name=a/b", '{"Image":"good:1","Cmd":["x"]}'],
  ["/containers/create", '{"Image":"../../etc"}'],
  ["/images/good:1/tag?repo=UPPER", ""],
  ["/images/good:1/tag?repo=sha256&tag=x", ""],
  ["/commit?container=none", ""],
  ["/commit", ""],
  ["/images/create?fromSrc=-&changes=RUN+x", "x"],
];

async function post(socketPath: string, path: string, body: Buffer): Promise<string> {
  const headers = { "Content-Type": body[0] === 123 || body[0] === 91 ? "application/json" : "application/x-tar" };
  const sent = request({ socketPath, path, method: "POST", headers: { ...headers, "Content-Length": body.length } });
  sent.on("error", () => {}); // a refused upload may be cut; the answer tells
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return (await collected(response as AsyncIterable<Buffer>)).join("");
}
