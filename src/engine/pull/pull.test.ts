import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { configOf, layerTar } from "../../../test/oracle/image-stores.js";
import { run } from "../../../test/oracle/run.js";
import { platformText, thisPlatform } from "../../image/index.js";
import { type DiffID, type Digest, mediaTypes, sha256, shortID } from "../../spec/index.js";
import { drivers } from "../engine.test.tools.js";
import { type Driver, Pulling } from "./pull.test.tools.js";

const tars = ["one", "two", "three"].map((name) => layerTar({ [`etc/${name}`]: name, "etc/last": name }));

describe.for(drivers)("on $driver", ({ driver, skip }) => {
  const start = () => Pulling.start(driver as Driver);

  describe.skipIf(skip)("a pull", () => {
    test("makes the image with its layers and names; what is there is not fetched again", async () => {
      await using it = await start();
      const blobs = it.registry.addImage("app:1", tars);
      const lines = await it.lines("app:1");
      const id = sha256(configOf(tars));
      const shown = await it.engine.images.inspect(`${it.registry.host}/app:1`);
      expect(shown).toMatchObject({ Id: id, RepoTags: [`${it.registry.host}/app:1`] });
      expect(shown.RootFS.Layers).toEqual(tars.map((tar) => sha256(tar)));
      const [byDigest = ""] = shown.RepoDigests;
      expect(lines[0]).toBe("1: Pulling from app");
      expect(lines.slice(-2)).toEqual([
        `Digest: ${byDigest.split("@")[1]}`,
        `Status: Downloaded newer image for ${it.registry.host}/app:1`,
      ]);
      for (const { digest } of blobs) {
        const own = lines.filter((line) => line.startsWith(`${shortID(digest)}: `));
        expect(own.map((line) => line.slice(14)).filter((line) => line !== "Waiting")).toEqual([
          "Pulling fs layer",
          "Verifying Checksum",
          "Download complete",
          "Pull complete",
        ]);
      }
      const before = it.fetched.length;
      expect(await it.lines("app:1")).toEqual([
        "1: Pulling from app",
        lines.at(-2),
        `Status: Image is up to date for ${it.registry.host}/app:1`,
      ]);
      expect(it.fetched).toHaveLength(before);
      expect(await it.left()).toEqual([]);
      await it.reopen();
      expect(await it.engine.images.inspect(byDigest)).toEqual(shown);
    });

    test("fetches only the layers that are missing, and remembers where each came from", async () => {
      await using it = await start();
      const [bottom, , top] = it.registry.addImage("app:1", tars);
      it.registry.addImage("more:2", [...tars, layerTar({ more: "y" })]);
      await it.pull("app:1");
      const before = it.fetched.length;
      const lines = await it.lines("more:2");
      expect(it.fetched.slice(before)).toHaveLength(2); // the config and one layer
      expect(lines.filter((line) => line.endsWith(": Already exists"))).toHaveLength(3);
      const source = (path: string, blob?: { digest: Digest }) => ({
        digest: blob?.digest,
        repository: `${it.registry.host}/${path}`,
        hmac: "",
      });
      const { distribution } = await storesOf(it);
      expect(await distribution.sourcesOf(sha256(tars[2]!) as DiffID)).toEqual([
        source("app", top),
        source("more", top),
      ]);
      expect(await distribution.diffIDOf(bottom!.digest)).toBe(sha256(tars[0]!));
    });
  });
});

/** The records beside the stores, as another process reads them. */
async function storesOf({ root, driver }: Pulling) {
  const { DistributionCache } = await import("../../image/index.js");
  return { distribution: new DistributionCache(`${root}/image/${driver}/distribution`) };
}

const skip = drivers[1]?.skip;

describe.skipIf(skip)("what is pulled", () => {
  test.for([
    ["gzip", mediaTypes.dockerLayerGzip, (tar: Buffer) => gzipSync(tar)],
    ["plain", mediaTypes.ociLayer, (tar: Buffer) => tar],
    ["zstd", mediaTypes.ociLayerZstd, async (tar: Buffer) => (await run("zstd", ["-c"], { input: tar })).bytes],
  ] as const)("may have layers that are %s", async ([, mediaType, pack]) => {
    await using it = await Pulling.start("overlay2");
    const config = it.registry.addBlob(configOf(tars), mediaTypes.ociConfig);
    const layers = await Promise.all(tars.map(async (tar) => it.registry.addBlob(await pack(tar), mediaType)));
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers };
    it.registry.addManifest("app:1", manifest, mediaTypes.ociManifest);
    await it.pull("app:1");
    expect((await it.engine.images.inspect(`${it.registry.host}/app:1`)).Id).toBe(config.digest);
  });

  test("may have layers that are equal, or none at all", async () => {
    await using it = await Pulling.start("overlay2");
    const [one, two] = tars as [Buffer, Buffer];
    it.registry.addImage("equal:1", [one, two, one, one]);
    it.registry.addImage("none:1", []);
    await it.pull("equal:1");
    await it.pull("none:1");
    expect(it.engine.layers.ofImage(`${it.registry.host}/equal:1`)).toHaveLength(4);
    expect((await it.engine.images.inspect(`${it.registry.host}/none:1`)).RootFS.Layers).toEqual([]);
    expect(await it.left()).toEqual([]);
  });

  test("is what a digest names, under that digest alone", async () => {
    await using it = await Pulling.start("overlay2");
    it.registry.addImage("app:1", tars);
    const digest = digestIn(await it.lines("app:1"));
    await it.engine.images.remove(`${it.registry.host}/app:1`);
    const name = `${it.registry.host}/app@${digest}`;
    expect(await it.lines(`app@${digest}`)).toEqual(expect.arrayContaining([`${name}: Pulling from app`]));
    expect(await it.engine.images.inspect(name)).toMatchObject({ RepoTags: [], RepoDigests: [name] });
    const again = await it.lines("app", { tag: digest });
    expect(again.at(-1)).toBe(`Status: Image is up to date for ${name}`);
  });

  test("is latest unless another tag is given, or all of them", async () => {
    await using it = await Pulling.start("overlay2");
    for (const [at, tag] of ["1", "2", "latest"].entries()) it.registry.addImage(`app:${tag}`, tars.slice(0, at + 1));
    const tags = async () => (await it.engine.images.list()).flatMap(({ RepoTags }) => RepoTags).sort();
    await it.pull("app");
    expect(await tags()).toEqual([`${it.registry.host}/app:latest`]);
    const lines = await it.lines("app:", { all: true });
    expect(await tags()).toEqual(["1", "2", "latest"].map((tag) => `${it.registry.host}/app:${tag}`));
    expect(lines.filter((line) => line.includes("Pulling from"))).toHaveLength(3);
    expect(lines.at(-1)).toBe(`Status: Downloaded newer image for ${it.registry.host}/app`);
    expect((await it.lines("app", { all: true })).at(-1)).toBe(
      `Status: Image is up to date for ${it.registry.host}/app`,
    );
  });

  test("moves a tag from the image that had it", async () => {
    await using it = await Pulling.start("overlay2");
    it.registry.addImage("app:1", tars.slice(0, 1));
    const first = digestIn(await it.lines("app:1"));
    it.registry.addImage("app:1", tars);
    expect((await it.lines("app:1")).at(-1)).toContain("Downloaded newer image");
    const { RepoTags } = await it.engine.images.inspect(`${it.registry.host}/app@${first}`);
    expect(RepoTags).toEqual([]);
  });

  test("is told as an event, with the image's labels", async () => {
    await using it = await Pulling.start("overlay2");
    const config = configOf([], { config: { Labels: { l: "1" } } });
    it.registry.addManifest("app:1", manifestOf(it.registry.addBlob(config, mediaTypes.dockerConfig)));
    const events = it.engine.events.read()[Symbol.asyncIterator]();
    await it.pull("app:1");
    const name = `${it.registry.host}/app`;
    expect((await events.next()).value).toMatchObject({
      Type: "image",
      Action: "pull",
      Actor: { ID: `${name}:1`, Attributes: { name, l: "1" } },
    });
    await events.return?.();
  });
});

describe.skipIf(skip)("of an image for several platforms", () => {
  /** An index of images of one layer each. */
  async function indexed(...architectures: readonly string[]) {
    const it = await Pulling.start("overlay2");
    const manifests = architectures.map((architecture) => {
      const tar = layerTar({ architecture });
      const config = it.registry.addBlob(configOf([tar], { architecture }), mediaTypes.ociConfig);
      const manifest = manifestOf(config, [it.registry.addBlob(gzipSync(tar))]);
      const digest = it.registry.addManifest(`app:${architecture}`, manifest);
      const size = JSON.stringify(manifest).length;
      return { mediaType: mediaTypes.dockerManifest, digest, size, platform: { os: "linux", architecture } };
    });
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
    const digest = it.registry.addManifest("app:all", index, mediaTypes.ociIndex);
    return Object.assign(it, { digest, index });
  }
  const own = thisPlatform.architecture;

  test("this machine's is taken unless another one is asked for; the digest is the index's", async () => {
    await using it = await indexed("s390x", own);
    const name = `${it.registry.host}/app`;
    expect(digestIn(await it.lines("app:all"))).toBe(it.digest);
    const shown = await it.engine.images.inspect(`${name}:all`);
    expect(shown).toMatchObject({ Architecture: own, RepoDigests: [`${name}@${it.digest}`] });
    await it.pull("app:all", { platform: "linux/s390x" });
    expect(await it.engine.images.inspect(`${name}:all`)).toMatchObject({ Architecture: "s390x", RepoDigests: [] });
    expect((await it.engine.images.inspect(`${name}@${it.digest}`)).Architecture).toBe(own);
    const other = it.pull(`app@${it.digest}`, { platform: "linux/s390x" });
    await expect(other).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("Cannot overwrite"),
    });
  });

  test("an index may lead to others", async () => {
    await using it = await indexed("s390x", own);
    const inner = { mediaType: mediaTypes.ociIndex, digest: it.digest, size: JSON.stringify(it.index).length };
    const outer = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [inner] };
    it.registry.addManifest("app:nested", outer, mediaTypes.ociIndex);
    await it.pull("app:nested");
    expect((await it.engine.images.inspect(`${it.registry.host}/app:nested`)).Architecture).toBe(own);
  });

  test("what there is is said when nothing fits", async () => {
    await using it = await indexed("s390x", "riscv64");
    await expect(it.pull("app:all")).rejects.toThrow(
      `no matching manifest for ${platformText(thisPlatform)} in the manifest list entries: ` +
        "there are linux/s390x, linux/riscv64",
    );
    expect(await it.left()).toEqual([]);
  });

  test("an image of one platform is taken for another, and that is said", async () => {
    await using it = await indexed("s390x");
    const lines = await it.lines("app:s390x", { platform: "linux/arm64" });
    expect(lines.at(-1)).toBe(
      `WARNING: image with reference ${it.registry.host}/app:s390x was found but does not match the specified ` +
        "platform: wanted linux/arm64, actual: linux/s390x",
    );
    expect((await it.lines("app:s390x")).at(-1)).toContain("up to date");
  });
});

function manifestOf(config: object, layers: readonly object[] = []) {
  return { schemaVersion: 2, mediaType: mediaTypes.dockerManifest, config, layers };
}

function digestIn(lines: readonly string[]): string {
  return lines.find((line) => line.startsWith("Digest: "))!.slice("Digest: ".length);
}
