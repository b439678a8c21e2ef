import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { check, deepCheck, readRoot, type Step } from "../../src/doctor/index.js";
import { lacking } from "../oracle/programs.js";
import { contentDamages } from "./content-damages.js";
import { damages, triedWith } from "./damages.js";
import { type DockerRoot, dockerRoot } from "./docker-root.js";
import { RootAt } from "./root-at.js";

const why = lacking("root", "mounts", "loop", "dockerd", "docker", "mkfs.xfs");

/** What of the layers is written anew is what was there before, byte for byte. */
function isFact(at: RootAt, step: Step): step is Step & { kind: "write-file" } {
  return step.kind === "write-file" && [at.layerdb, at.home].some((dir) => step.path.startsWith(`${dir}/`));
}

function original(root: DockerRoot, at: RootAt, path: string): string {
  return readFileSync(join(root.path, relative(at.path, path)), "utf8");
}

test("docs/damage.md tells of each kind", () => {
  const text = readFileSync(new URL("../../../docs/damage.md", import.meta.url), "utf8");
  const kinds = new Set([...damages, ...contentDamages].map(({ kind }) => kind));
  expect([...kinds].filter((kind) => !text.includes(`\`${kind}\``))).toEqual([]);
});

const drivers = ["overlay2", "overlay", "vfs"] as const;

describe.skipIf(why).for(drivers)("a root that dockerd wrote with %s", (driver) => {
  let root: DockerRoot;
  beforeAll(async () => {
    root = await dockerRoot(driver);
  });
  afterAll(() => root?.[Symbol.asyncDispose]());

  test("has no finding", async () => {
    const state = await readRoot(root.path);
    expect(check(state)).toEqual([]);
    expect(await deepCheck(state)).toEqual({ findings: [], notes: [] });
  });

  test.for(triedWith(driver, drivers, damages))("$kind: $name", async ({ kind, make, end }) => {
    const at = new RootAt(await root.copy(), driver);
    await make(at);
    try {
      const found = check(await readRoot(at.path));
      expect([...new Set(found.map((each) => each.kind))], JSON.stringify(found, undefined, 1)).toEqual([kind]);
      const facts = found.flatMap((each) => each.remedy).flatMap((step) => (isFact(at, step) ? step : []));
      for (const { path, text } of facts) expect(text, path).toBe(original(root, at, path));
    } finally {
      await end?.(at);
    }
  });

  test.for(triedWith(driver, drivers, contentDamages))("$kind: $name", async (damage) => {
    const at = new RootAt(await root.copy(), driver);
    damage.make(at);
    const state = await readRoot(at.path);
    expect(check(state)).toEqual([]);
    const { findings, notes } = await deepCheck(state);
    const told = findings.map(({ kind, files = [] }) => [kind, files.map(({ path, how }) => ({ path, how }))]);
    expect(told, JSON.stringify(findings, undefined, 1)).toEqual([[damage.kind, damage.files]]);
    expect(notes).toEqual([]);
  });
});
