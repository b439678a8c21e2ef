import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configOf, layerTar } from "../../../test/oracle/image-stores.js";
import {
  answers,
  cutsAfter,
  type Fault,
  floods,
  garbles,
  isSilent,
  redirects,
  saysLength,
  stallsAfter,
} from "../../../test/oracle/registry-faults.js";
import { mediaTypes } from "../../spec/index.js";
import { drivers } from "../engine.test.tools.js";
import { Pulling } from "./pull.test.tools.js";

const tar = layerTar({ file: "content".repeat(10_000) });
const circle: Fault = (request, ...answer) => redirects(request.url ?? "")(request, ...answer);
const top = layerTar({ top: "y" });

describe.skipIf(drivers[1]?.skip)("what cannot be pulled is refused in one line, and nothing is left", () => {
  let it: Pulling;
  let before: string[];
  beforeAll(async () => {
    it = await Pulling.start("overlay2", {
      registries: { silenceMs: 100, attempts: 2, time: { pause: async () => {} } },
    });
    it.registry.addImage("known:1", [tar]);
    await it.pull("known:1");
    before = await it.paths();
  });
  afterAll(() => it?.[Symbol.asyncDispose]());

  let count = 0;
  async function refused(name: string): Promise<string> {
    const error: unknown = await it.pull(name).catch((error) => error);
    expect(error).toBeInstanceOf(Error);
    const { message } = error as Error;
    expect(message).not.toContain("\n");
    expect(await it.left()).toEqual([]);
    expect(await it.paths()).toEqual(before);
    return message;
  }

  interface Bad {
    readonly layers?: readonly Buffer[];
    /** In place of the layers, compressed. */
    readonly blobs?: readonly Buffer[];
    readonly config?: Buffer;
    readonly configType?: string;
    readonly layerType?: string;
    /** More of a layer's descriptor. */
    readonly descriptor?: object;
  }

  test.for([
    [
      "a config of something else",
      { configType: "application/vnd.cncf.helm.config.v1+json" },
      /is no container image: its config is application\/vnd\.cncf\.helm/,
    ],
    [
      "a layer of something else",
      { layerType: "application/x-strange" },
      /^unsupported media type application\/x-strange of layer sha256:\w+$/,
    ],
    [
      "another system's",
      { config: configOf([top], { os: "windows" }) },
      /^image operating system "windows" cannot be used on this platform$/,
    ],
    ["no config at all", { config: Buffer.from("no JSON") }, /^invalid image config sha256:\w+: /],
    ["a config without layers", { config: Buffer.from("{}") }, /invalid image JSON, no RootFS key/],
    [
      "fewer layers than the config says",
      { config: configOf([top, tar]) },
      /^layers from manifest don't match image configuration: 1 in the manifest, 2 in the configuration$/,
    ],
    [
      "more layers than can be mounted",
      { layers: new Array(126).fill(top) as Buffer[] },
      /^max depth exceeded: a chain has at most 125 layers/,
    ],
    [
      "another layer than the config says",
      { config: configOf([layerTar({ other: "x" })]), layers: [top] },
      /^layers from manifest don't match image configuration: layer 1 of 1 \(sha256:\w+\) unpacks to /,
    ],
    [
      "a cut layer",
      { blobs: [gzipSync(top).subarray(0, -9)] },
      /^layer 1 of 1 \(sha256:\w+\): gzip stream damaged: truncated$/,
    ],
    [
      "no layer tar",
      { layers: [Buffer.alloc(2000, "text")] },
      /^layer 1 of 1 \(sha256:\w+\): archive damaged: not a tar header/,
    ],
    ["a layer of another size", { descriptor: { size: 12 } }, /it should have 12|more than the 12 bytes/],
    ["a layer that leads out", { layers: [layerTar({ "../out": "x" })] }, /"\.\.\/out"/],
  ] as [string, Bad, RegExp][])("%s", async ([, bad, why]) => {
    const { layers = [top], blobs = layers.map((layer) => gzipSync(layer)), config = configOf(layers) } = bad;
    const descriptors = blobs.map((blob) => ({ ...it.registry.addBlob(blob, bad.layerType), ...bad.descriptor }));
    const name = `bad:${++count}`;
    it.registry.addManifest(name, {
      schemaVersion: 2,
      mediaType: mediaTypes.dockerManifest,
      config: it.registry.addBlob(config, bad.configType ?? mediaTypes.dockerConfig),
      layers: descriptors,
    });
    expect(await refused(name)).toMatch(why);
  });

  const blob = "GET .*/blobs/";
  const manifest = "GET .*/manifests/";
  test.for([
    ["cuts each time", blob, cutsAfter(50), /the connection was cut$/],
    ["stalls each time", blob, stallsAfter(50), /in time$/],
    ["never answers", blob, isSilent, /no answer in time$/],
    [
      "has other bytes",
      blob,
      garbles,
      /^error pulling image configuration: image config verification failed for digest sha256:\w+$/,
    ],
    ["has bytes of another length", blob, saysLength(1000), /has 1000 bytes of it/],
    ["has bytes without end", blob, floods({}), /more than the \d+ bytes it should have$/],
    ["answers 500", blob, answers(500), /answered 500/],
    ["answers 429", blob, answers(429, { "retry-after": "1" }), /toomanyrequests/],
    ["answers 404", blob, answers(404), /404|not found|unknown/],
    ["sends in a circle", blob, circle, /redirect/],
    [
      "has a manifest of 100 MB",
      manifest,
      floods({ "content-length": "104857600", "content-type": mediaTypes.dockerManifest }),
      /^manifest of .* has 104857600 bytes; 4194304 are allowed$/,
    ],
    [
      "has a manifest without end",
      manifest,
      floods({ "content-type": mediaTypes.dockerManifest }),
      /4194304 are allowed$/,
    ],
    [
      "has a manifest that is none",
      manifest,
      answers(200, { "content-type": mediaTypes.dockerManifest }, "{"),
      /^manifest sha256:\w+: /,
    ],
    [
      "has a page for a manifest",
      manifest,
      answers(200, { "content-type": "text/html" }, "<html>"),
      /media type "text\/html"/,
    ],
  ] as [string, string, Fault, RegExp][])("a registry that %s", async ([, request, fault, why]) => {
    const repository = `faulty${++count}`;
    it.registry.addImage(`${repository}:1`, [top]);
    it.registry.alwaysMisbehave(new RegExp(request.replace(".*", `/v2/${repository}`)), fault);
    expect(await refused(`${repository}:1`)).toMatch(why);
  });

  test.for([
    ["cuts", cutsAfter(0), /the connection was cut$/],
    ["stalls in", stallsAfter(0), /in time$/],
    ["garbles", garbles, /^filesystem layer verification failed for digest sha256:\w+$/],
    ["is short of", saysLength(1000), /has 1000 bytes of it/],
    ["has no", answers(404), /^layer 1 of 1 \(sha256:\w+\): /],
    ["has broken", answers(503), /503/],
  ] as [string, Fault, RegExp][])("a registry that %s a layer", async ([, fault, why]) => {
    const repository = `layered${++count}`;
    const [layer] = it.registry.addImage(`${repository}:1`, [layerTar({ repository })]);
    it.registry.alwaysMisbehave(new RegExp(`/v2/${repository}/blobs/${layer!.digest}`), fault);
    expect(await refused(`${repository}:1`)).toMatch(why);
  });

  test.for([
    ["cuts once", cutsAfter(50)],
    ["stalls once", stallsAfter(50)],
    ["answers 500 once", answers(500)],
    ["answers 429 once", answers(429)],
  ] as [string, Fault][])("but one that %s is asked again", async ([, fault]) => {
    const repository = `passing${++count}`;
    const layers = it.registry.addImage(`${repository}:1`, [layerTar({ repository })]);
    it.registry.misbehave(new RegExp(`/v2/${repository}/manifests/`), fault);
    for (const { digest } of layers) it.registry.misbehave(new RegExp(`/v2/${repository}/blobs/${digest}`), fault);
    it.registry.misbehave(new RegExp(`/v2/${repository}/blobs/`), fault);
    const name = `${it.registry.host}/${repository}:1`;
    expect((await it.lines(`${repository}:1`)).at(-1)).toBe(`Status: Downloaded newer image for ${name}`);
    await it.engine.images.remove(name);
    expect(await it.left()).toEqual([]);
  });
});

describe.skipIf(drivers[1]?.skip)("names", () => {
  test.for([
    ["scratch", {}, "forbidden", "'scratch' is a reserved name"],
    ["UPPER", {}, "invalid-parameter", "repository name must be lowercase"],
    ["a b", {}, "invalid-parameter", "invalid reference format"],
    ["app", { tag: "a b" }, "invalid-parameter", "invalid tag format"],
    ["app", { tag: "sha256:12" }, "invalid-parameter", "invalid digest"],
    ["app", { platform: "zz" }, "invalid-parameter", "invalid platform"],
  ] as const)("%s %j cannot be", async ([name, options, code, why]) => {
    await using it = await Pulling.start("overlay2");
    const messages = it.engine.images.pull(name, options)[Symbol.asyncIterator]();
    await expect(messages.next()).rejects.toMatchObject({ code, message: expect.stringContaining(why) });
    expect(it.registry.requests).toEqual([]);
  });
});
