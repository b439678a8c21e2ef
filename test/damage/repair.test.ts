import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { check, deepCheck, openSource, readRoot, repair } from "../../src/doctor/index.js";
import { verifyBare } from "../../src/layer/index.js";
import type { DiffID } from "../../src/spec/index.js";
import { diskFacts } from "../oracle/disk-facts.js";
import { Dockerd } from "../oracle/dockerd.js";
import { layerkitMain } from "../oracle/layerkitd.js";
import { lacking } from "../oracle/programs.js";
import { run } from "../oracle/run.js";
import { savedImages } from "../oracle/saved-images.js";
import { contentDamages } from "./content-damages.js";
import { type Damage, damages, isAll, triedWith } from "./damages.js";
import { app, child, type DockerRoot, dockerRoot, type RootDriver } from "./docker-root.js";
import { RootAt } from "./root-at.js";

const why = lacking("root", "mounts", "loop", "dockerd", "docker", "containerd", "runc", "mkfs.xfs", "tar");

/** After these a container, or its name, is gone for good: one comes last in each part. */
const losing = new Set(["mount-orphan", "container-dead", "container-config-damaged"]);
/** What is only strange stays: that it is nobody's is not proved. */
const stays = new Set(["foreign"]);
/** So many befall a root, each repaired before the next, until dockerd has a look at it. */
const together = 15;

const drivers: readonly RootDriver[] = isAll ? ["overlay2", "overlay", "vfs"] : ["overlay2", "overlay"];

describe.skipIf(why).for(drivers)("a root that dockerd wrote with %s", (driver) => {
  let root: DockerRoot;
  let images: Awaited<ReturnType<typeof savedImages>>;
  beforeAll(async () => {
    root = await dockerRoot(driver);
    images = await savedImages(root.archive);
  }, 120_000);
  afterAll(() => root?.[Symbol.asyncDispose]());

  const here = triedWith(driver, drivers, damages);
  const [last, others] = [here.filter(({ kind }) => losing.has(kind)), here.filter(({ kind }) => !losing.has(kind))];
  const batches = Array.from({ length: Math.max(Math.ceil(others.length / together), last.length) }, (_, n) => [
    ...others.slice(n * together, (n + 1) * together),
    ...last.slice(n, n + 1),
  ]);

  test("has a part for each damage", () => expect(batches.flat()).toHaveLength(here.length));

  test.for([...batches.entries()])(
    "is mended of each damage, and dockerd goes on with it (part %s)",
    {
      timeout: 240_000,
    },
    async ([, batch]) => {
      const at = new RootAt(await root.copy(), driver);
      const files = imageFiles(at);
      for (const damage of batch) await mended(at, damage, files);
      await using dockerd = await Dockerd.start(at.path, { driver });
      const { status, stderr } = await run(process.execPath, [layerkitMain, "--root", at.path, "repair"]);
      expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining("by a running dockerd") });
      await expectWhole(dockerd, at);
    },
  );

  test("is mended of what only reading shows, and dockerd goes on with it", { timeout: 240_000 }, async () => {
    const at = new RootAt(await root.copy(), driver);
    const before = imageFiles(at);
    for (const { name, make } of triedWith(driver, drivers, contentDamages)) {
      make(at);
      const found = (await deepCheck(await readRoot(at.path))).findings;
      expect({ name, found: found.length > 0 }).toEqual({ name, found: true });
      await using source = await openSource(root.archive, at.path, dirname(root.archive));
      const options = { driver, sources: [source], examineDeeply: deepCheck, tell: async () => {} };
      const { left } = await repair(at.path, options);
      expect({ name, left: left.map(({ finding, why }) => [finding.kind, ...why]) }).toEqual({ name, left: [] });
      expect({ name, files: imageFiles(at) }).toEqual({ name, files: before });
    }
    expect((await deepCheck(await readRoot(at.path))).findings).toEqual([]);
    await using dockerd = await Dockerd.start(at.path, { driver });
    await expectWhole(dockerd, at);
  });

  test.skipIf(driver !== "overlay2")("needs no source for the tar-split of what dockerd has committed", async () => {
    const at = new RootAt(await root.copy(), driver);
    const { entry, tree } = at.layers(child).at(-1)!;
    at.remove(join(entry, "tar-split.json.gz"));
    const told: string[] = [];
    const tell = async ({ text }: { readonly text: string }) => void told.push(text);
    expect((await repair(at.path, { driver, sources: [], tell })).left).toEqual([]);
    expect(told).toEqual([expect.stringMatching(/its files are as they were, from its own files, packed again$/)]);
    const split = join(entry, "tar-split.json.gz");
    await verifyBare({ root: tree, split, diffID: at.read(join(entry, "diff")) as DiffID });
  });

  /** Damages and repairs; says which damage it was where something is not as it should be. */
  async function mended(at: RootAt, damage: Damage, before: readonly string[]): Promise<void> {
    const { name, kind, make, end } = damage;
    await make(at);
    try {
      expect({ name, kinds: kindsOf(check(await readRoot(at.path))) }).toMatchObject({
        kinds: expect.arrayContaining([kind]),
      });
      await using source = await openSource(root.archive, at.path, dirname(root.archive));
      const { left } = await repair(at.path, { driver, sources: [source], tell: async () => {} });
      const wrong = left.filter(({ finding }) => !stays.has(finding.kind));
      expect({ name, left: wrong.map(({ finding, why }) => [finding.kind, finding.path, ...why]) }).toEqual({
        name,
        left: [],
      });
      const found = kindsOf(check(await readRoot(at.path))).filter((each) => !stays.has(each));
      expect({ name, found }).toEqual({ name, found: [] });
      expect({ name, files: imageFiles(at) }).toEqual({ name, files: before });
    } finally {
      await end?.(at);
    }
  }

  /** Lists, runs, starts and saves what was there before. */
  async function expectWhole(dockerd: Dockerd, at: RootAt): Promise<void> {
    const lines = async (...args: string[]) => (await dockerd.docker(...args)).split("\n").filter(Boolean);
    expect(await lines("images", "--format", "{{.Repository}}:{{.Tag}}")).toEqual(expect.arrayContaining([app, child]));
    const containers = await lines("ps", "--all", "--no-trunc", "--format", "{{.ID}}");
    expect(containers.sort()).toEqual(
      readdirSync(join(at.path, "containers"))
        .filter((id) => id.length === 64)
        .sort(),
    );
    for (const id of containers) await dockerd.docker("diff", id);
    for (const image of [app, child]) await dockerd.docker("run", "--rm", "--network", "none", image, "true");
    expect(await dockerd.docker("start", "--attach", "fresh")).toMatch(/colour = /);
    const archive = join(dirname(at.path), "again.tar");
    await dockerd.docker("save", "--output", archive, app, child);
    expect(byID(await savedImages(archive))).toEqual(byID(images));
  }

  const byID = (saved: typeof images) =>
    saved.map(({ id, diffIDs, layers }) => ({ id, diffIDs, layers })).sort((a, b) => (a.id < b.id ? -1 : 1));
});

function kindsOf(findings: readonly { readonly kind: string }[]): string[] {
  return [...new Set(findings.map(({ kind }) => kind))];
}

/** All that is in the images' layers, but for the times of directories and whiteouts: some are those of their making. */
function imageFiles(at: RootAt): string[] {
  const trees = new Set([app, child].flatMap((name) => at.layers(name)).map(({ tree }) => tree));
  const timed = /^(.* (?:4\d{4} \d+ \d+ |20000 0 0 0)) \d+/;
  return [...trees].flatMap((tree) => diskFacts(tree).map((line) => line.replace(timed, "$1")));
}
