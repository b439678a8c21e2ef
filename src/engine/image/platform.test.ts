import { expect, test } from "vitest";
import { platformText, thisPlatform } from "../../image/index.js";
import { parsePlatform } from "./platform.js";

// As containerd 1.6 reads them.
test.for([
  ["linux/amd64", "linux/amd64"],
  ["Linux/AMD64", "linux/amd64"],
  ["linux/x86_64", "linux/amd64"],
  ["linux/amd64/v1", "linux/amd64"],
  ["linux/amd64/v3", "linux/amd64/v3"],
  ["linux/aarch64", "linux/arm64"],
  ["linux/arm64/v8", "linux/arm64"],
  ["linux/arm64/8", "linux/arm64"],
  ["linux/arm/7", "linux/arm/v7"],
  ["linux/armhf", "linux/arm/v7"],
  ["linux/armel", "linux/arm/v6"],
  ["windows/amd64", "windows/amd64"],
  ["linux", platformText(thisPlatform)],
  ["s390x", "linux/s390x"],
  ["armhf", "linux/arm/v7"],
] as const)("%s is %s", ([text, platform]) => {
  expect(platformText(parsePlatform(text))).toBe(platform);
});

test.for(["", "zz", "linux/", "/amd64", "linux/a/b/c", "linux/a b", "linux//v7"])("%j is none", (text) => {
  expect(() => parsePlatform(text)).toThrow(/^invalid platform ".*": /);
});
