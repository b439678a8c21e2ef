import * as fs from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lacking } from "../../../test/oracle/programs.js";
import { deepCheck } from "../deep/deep-check.js";
import { readRoot } from "../root/read-root.js";
import { DamagedRoot } from "./damaged-root.test.tools.js";
import { repair } from "./repair.js";
import { openSource } from "./sources/open-source.js";

const drivers = lacking("root", "mounts") ? [] : (["overlay2", "overlay", "vfs"] as const);

describe.each(drivers)("repair --deep with %s", (driver) => {
  let root: DamagedRoot;
  beforeEach(async () => {
    root = await DamagedRoot.make(driver);
  });
  afterEach(() => root[Symbol.asyncDispose]());

  const found = async () => (await deepCheck(await readRoot(root.root))).findings;
  const mended = async (from: "docker" | undefined) => {
    const sources = from ? [await openSource(await root.archive(from), root.root, root.path)] : [];
    const repaired = await repair(root.root, { driver, sources, examineDeeply: deepCheck, tell: async () => {} });
    for (const source of sources) await source[Symbol.asyncDispose]();
    return repaired;
  };

  test("mends what only reading shows, in each layer what is its own", async () => {
    const before = root.facts();
    fs.writeFileSync(root.file(0, "kept/deep/file"), "kept in ALL layers\n");
    fs.chmodSync(root.file(1, "o"), 0o777);
    fs.rmSync(root.file(2, "top/file"));
    expect((await found()).length).toBeGreaterThan(1);
    expect((await mended("docker")).left).toEqual([]);
    expect(await found()).toEqual([]);
    expect(root.facts()).toEqual(before);
    expect(await root.expectWhole()).toEqual([]);
  });

  test("needs no source where the digests are right: mode, owner, time, what is too much", async () => {
    const before = root.facts();
    fs.chmodSync(root.file(0, "d/below"), 0o777);
    fs.chownSync(root.file(1, "o"), 1000, 1000);
    fs.writeFileSync(root.file(2, "top/foreign"), "not of the layer");
    fs.utimesSync(root.file(0, "big"), 1, 1);
    expect((await mended(undefined)).left).toEqual([]);
    expect(await found()).toEqual([]);
    expect(root.facts()).toEqual(before);
  });

  test("tells what it could not mend", async () => {
    fs.writeFileSync(root.file(2, "top/file"), "TOP\n");
    const { left } = await mended(undefined);
    expect(left).toMatchObject([
      { finding: { kind: "layer-content-damaged" }, why: [expect.stringMatching(/^nobody has the bytes/)] },
    ]);
    expect(left[0]!.advice).toMatch(/^layer sha256:\w+ of image app:1 .* is needed: layerkit repair --from/);
  });
});

describe.runIf(drivers.length > 0)("repair --deep with overlay", () => {
  test("mends what a tree has of the layers below, which are right", async () => {
    await using root = await DamagedRoot.make("overlay");
    const before = root.facts();
    fs.rmSync(root.file(2, "kept/deep/file"));
    fs.writeFileSync(root.file(2, "kept/deep/file"), "another file altogether\n");
    fs.rmSync(root.file(1, "soft"));
    fs.chmodSync(root.file(2, "kept"), 0o700);
    const { left } = await repair(root.root, {
      driver: "overlay",
      sources: [],
      examineDeeply: deepCheck,
      tell: async () => {},
    });
    expect(left).toEqual([]);
    expect((await deepCheck(await readRoot(root.root))).findings).toEqual([]);
    expect(root.facts()).toEqual(before);
  });
});
