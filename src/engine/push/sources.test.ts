import { describe, expect, test } from "vitest";
import { type Digest, sha256 } from "../../spec/index.js";
import { LayerSources } from "./sources.js";

const blob = (name: string) => sha256(name);
const seen = (digest: Digest, repository: string, hmac = "") => ({ digest, repository, hmac });
const user = { username: "layerkit", password: "secret", serveraddress: "registry.example" };

test("the mark is dockerd's", () => {
  // As dockerd 20.10 wrote them, for nobody and for this user.
  const digest = "sha256:825399b8b764162223cb9005ca3bf3cf6e12753f5f7117cd775ccd87fe923cda";
  expect(new LayerSources({ domain: "127.0.0.1:43449", path: "x/b" }).here(digest)).toEqual(
    seen(digest, "127.0.0.1:43449/x/b", "ae48434489475a2266b052954586d25317bba2bb7c07f5be33579c11303c7abd"),
  );
  expect(new LayerSources({ domain: "127.0.0.1:38069", path: "y/b" }, user).here(digest).hmac).toBe(
    "2a0b6dfd815ff30e1a9b043d7c4d645fb77bcaac64d0231b93d8d3189fb1882a",
  );
});

describe("of a layer's sources", () => {
  const sources = new LayerSources({ domain: "registry.example", path: "team/app" }, user);

  test("those in the repository are looked for first, then those seen last, each blob once", () => {
    const known = [
      seen(blob("old"), "registry.example/team/app"),
      seen(blob("a"), "registry.example/x"),
      seen(blob("b"), "other.example/x"),
      seen(blob("old"), "other.example/y"),
      seen(blob("c"), "other.example/y"),
    ];
    expect(sources.toCheck(known).map(({ digest }) => digest)).toEqual([blob("old"), blob("c"), blob("b")]);
  });

  test("those of the same registry are mounted: our own, then those of like names, then those seen last", () => {
    const own = new LayerSources({ domain: "registry.example", path: "z" }, user).here(blob("d"));
    const known = [
      own,
      seen(blob("a"), "registry.example/team/a"),
      seen(blob("b"), "registry.example/b"),
      seen(blob("c"), "registry.example/c", "somebody else's"),
      seen(blob("e"), "registry.example:5000/team/app2"),
      seen(blob("f"), "registry.example/team/app"),
      seen(blob("g"), "registry.example/g"),
    ];
    expect(sources.toMount(known).map(({ from }) => from)).toEqual(["z", "team/a", "g", "c"]);
  });
});
