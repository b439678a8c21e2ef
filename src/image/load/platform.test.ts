import { expect, test } from "vitest";
import { type Descriptor, type Platform, sha256 } from "../../spec/index.js";
import { forThisPlatform, platformText, runsOn, thisPlatform } from "./platform.js";

function parsed(text: string): Platform {
  const [os = "", architecture = "", variant] = text.split("/");
  return { os, architecture, ...(variant && { variant }) };
}

function chosen(wanted: string, ...offered: readonly string[]): string | undefined {
  const descriptors = offered.map((text): Descriptor => {
    const platform = text === "any" ? {} : { platform: parsed(text) };
    return { mediaType: "", digest: sha256(text), size: 0, ...platform };
  });
  const found = forThisPlatform(descriptors, parsed(wanted));
  return found && (found.platform ? platformText(found.platform) : "any");
}

test.for([
  ["linux/amd64", ["linux/arm64", "linux/amd64"], "linux/amd64"],
  ["linux/amd64", ["linux/amd64/v3", "linux/amd64"], "linux/amd64"],
  ["linux/amd64", ["linux/amd64/v3"], undefined],
  ["linux/amd64/v3", ["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"], "linux/amd64/v2"],
  ["linux/arm/v7", ["linux/arm/v5", "linux/arm/v6", "linux/arm64"], "linux/arm/v6"],
  ["linux/arm", ["linux/arm/v6", "linux/arm/v7"], "linux/arm/v7"],
  ["linux/arm/v6", ["linux/arm/v7"], undefined],
  ["linux/arm64", ["linux/arm64/v8"], "linux/arm64/v8"],
  ["linux/s390x", ["unknown/unknown", "linux/amd64"], undefined],
  ["linux/s390x", ["any", "linux/amd64"], "any"],
  ["linux/s390x", ["any", "linux/s390x"], "linux/s390x"],
] as const)("for %s of %j it is %s", ([wanted, offered, want]) => {
  expect(chosen(wanted, ...offered)).toBe(want);
});

test("this machine's platform is wanted unless another one is", () => {
  const own = { mediaType: "", digest: sha256("own"), size: 0, platform: thisPlatform };
  const other = { ...own, platform: { os: "linux", architecture: "other" } };
  expect(forThisPlatform([other, own])).toBe(own);
  expect(runsOn(own.platform, thisPlatform)).toBe(true);
  expect(runsOn(other.platform, thisPlatform)).toBe(false);
});
