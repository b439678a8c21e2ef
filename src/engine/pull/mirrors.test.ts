import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { BadRegistry } from "../../../test/oracle/bad-registry.js";
import { asDockerHub, hubHost } from "../../../test/oracle/docker-hub.js";
import { dockerArchive } from "../../../test/oracle/image-archives.js";
import { configOf, layerTar } from "../../../test/oracle/image-stores.js";
import { lacking } from "../../../test/oracle/programs.js";
import { Registry } from "../../../test/oracle/registry.js";
import {
  answers,
  cutsAfter,
  type Fault,
  garbles,
  isSilent,
  saysLength,
  stallsAfter,
} from "../../../test/oracle/registry-faults.js";
import { collected } from "../../../test/oracle/sample-image.js";
import { scratch } from "../../../test/oracle/scratch.js";
import { mediaTypes, parseManifest, sha256 } from "../../spec/index.js";
import { drivers } from "../engine.test.tools.js";
import { Pulling } from "./pull.test.tools.js";

const faults: readonly Fault[] = [
  garbles,
  saysLength(10),
  saysLength(100_000),
  cutsAfter(50),
  stallsAfter(50),
  isSilent,
  answers(404),
  answers(500),
];
const tars = faults.map((_, at) => layerTar({ [`${at}`]: `${at}`.repeat(10_000) }));
const layerRequest = (digest: string) => new RegExp(`GET .*/blobs/${digest}`);

/** All that an image is made of, as its registry has it; its config first. */
async function blobsIn(repository: string): Promise<Buffer[]> {
  const get = async (path: string) => {
    const answer = await fetch(`${repository}/${path}`, { headers: { accept: mediaTypes.dockerManifest } });
    return Buffer.from(await answer.arrayBuffer());
  };
  const { config, layers } = parseManifest(await get("manifests/1"), "manifest");
  return Promise.all([config, ...layers].map(({ digest }) => get(`blobs/${digest}`)));
}

function pullingPast(mirror: BadRegistry, attempts: number): Promise<Pulling> {
  const registries = { mirrors: [`http://${mirror.host}`], insecure: [hubHost], attempts };
  return Pulling.start("overlay2", { registries: { ...registries, silenceMs: 200, time: { pause: async () => {} } } });
}

describe.skipIf(drivers[1]?.skip ?? lacking("docker-registry", "skopeo"))("a mirror", () => {
  test.for([1, 2])("that gives wrong blobs does not keep one from the image, of %d attempts", async (attempts) => {
    await using directory = await scratch();
    await using origin = await Registry.start();
    await using mirror = await BadRegistry.start();
    const archive = join(directory.path, "archive.tar");
    await writeFile(archive, dockerArchive([{ layers: tars, tags: ["app:1"] }]));
    await origin.fill(archive, "library/app:1");
    const blobs = (await blobsIn(`http://${origin.host}/v2/library/app`)).map((blob) => mirror.addBlob(blob));
    for (const [at, { digest }] of blobs.entries())
      mirror.alwaysMisbehave(layerRequest(digest), faults[at % faults.length]!);
    await using _ = await asDockerHub(origin.host);
    await using it = await pullingPast(mirror, attempts);
    const before = origin.requests.length;
    await collected(it.engine.images.pull("app:1"));
    expect((await it.engine.images.inspect("app:1")).Id).toBe(sha256(configOf(tars)));
    for (const { digest } of blobs) {
      expect(mirror.requests.filter(({ path }) => path.endsWith(digest))).toHaveLength(1);
      expect(origin.requests.slice(before).filter((each) => each.includes(`blobs/${digest}`))).toHaveLength(1);
    }
    expect(await it.left()).toEqual([]);
  });

  test("is not blamed for what the registry itself has wrong", async () => {
    await using origin = await BadRegistry.start();
    await using mirror = await BadRegistry.start();
    const [bad, cut] = origin.addImage("library/app:1", tars.slice(0, 2));
    mirror.addBlob(gzipSync(tars[1]!));
    mirror.misbehave(layerRequest(cut!.digest), garbles);
    origin.alwaysMisbehave(layerRequest(bad!.digest), garbles);
    await using _ = await asDockerHub(origin.host);
    await using it = await pullingPast(mirror, 2);
    const before = await it.paths();
    await expect(collected(it.engine.images.pull("app:1"))).rejects.toThrow(
      `filesystem layer verification failed for digest ${bad!.digest}`,
    );
    expect(origin.requests.filter(({ path }) => path.endsWith(bad!.digest))).toHaveLength(1);
    expect(await it.paths()).toEqual(before);
  });
});
