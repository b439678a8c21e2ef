import { expect, test } from "vitest";
import { descriptorIn, parseIndex, parseManifest } from "./manifest.js";

const digest = `sha256:${"ab".repeat(32)}`;
const layer = { mediaType: "application/vnd.oci.image.layer.v1.tar", digest, size: 7 };
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

test("a manifest gives its config and layers; what is not of the specification is passed over", () => {
  const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: 2, data: "e30=" };
  const urls = ["https://registry.example/blob", 5];
  const document = { schemaVersion: 2, config, layers: [{ ...layer, urls }], annotations: { a: "b", c: 1 }, x: 1 };
  expect(parseManifest(bytes(document), "it")).toEqual({
    schemaVersion: 2,
    config: { mediaType: config.mediaType, digest, size: 2 },
    layers: [{ ...layer, urls: ["https://registry.example/blob"] }],
    annotations: { a: "b" },
  });
  expect(parseManifest(bytes({ config, mediaType: "x" }), "it")).toMatchObject({ mediaType: "x", layers: [] });
});

test("an index gives the platforms of what it lists", () => {
  const platform = { os: "linux", architecture: "arm", variant: "v7", "os.version": "1" };
  const manifests = [{ ...layer, platform }, layer, { ...layer, platform: { os: "linux", architecture: 5 } }];
  expect(parseIndex(bytes({ manifests }), "it").manifests).toEqual([{ ...layer, platform }, layer, layer]);
});

test.for([
  ["{", /^manifest m: /],
  ["[]", "manifest m is not a JSON object"],
  ["{}", "the config of manifest m is not a descriptor"],
  [JSON.stringify({ config: layer, layers: {} }), "manifest m has no list of layers"],
  [JSON.stringify({ config: layer, layers: [layer, 1] }), "layers[1] of manifest m is not a descriptor"],
] as const)("%s is no manifest", ([text, why]) => {
  expect(() => parseManifest(Buffer.from(text), "manifest m")).toThrow(why);
});

test.for([
  [{ ...layer, size: -1 }, "it has no size"],
  [{ ...layer, size: 1.5 }, "it has no size"],
  [{ ...layer, size: "7" }, "it has no size"],
  [{ ...layer, digest: undefined }, "it has no digest"],
  [{ ...layer, digest: "sha256:../../x" }, "invalid digest"],
  [{ ...layer, mediaType: 1 }, "it has a mediaType that is no text"],
] as const)("%j is no descriptor", ([value, why]) => {
  expect(() => descriptorIn(value, "it")).toThrow(why);
});
