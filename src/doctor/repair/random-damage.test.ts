import * as fs from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lacking } from "../../../test/oracle/programs.js";
import { output } from "../../../test/oracle/run.js";
import { deepCheck } from "../deep/deep-check.js";
import { reclaim } from "../reclaim/reclaim.js";
import { readRoot } from "../root/read-root.js";
import { app, base, DamagedRoot, idOf, wholeImages } from "./damaged-root.test.tools.js";
import { repair } from "./repair.js";
import { openSource } from "./sources/open-source.js";
import type { Told } from "./told.js";

const drivers = lacking("root", "mounts") ? [] : (["overlay2", "overlay"] as const);

/** How many roots are damaged in each test: `DAMAGED_ROOTS=150` in the environment for a long run. */
const roots = Number(process.env.DAMAGED_ROOTS ?? 6);
const timeout = 60_000 + roots * 20_000;

/** Something that befalls one of all files of the root: which, of 10,000. */
interface Blow {
  readonly how: (typeof ways)[number];
  readonly at: number;
}

const ways = ["gone", "empty", "half", "changed", "directory", "another's", "all gone"] as const;
const blow: fc.Arbitrary<Blow> = fc.record({
  how: fc.constantFrom(...ways),
  at: fc.nat(9999),
});

/** All files and links of a root, but for those that are no layer's, image's or name's. */
function filesOf(root: string): string[] {
  const all = fs.readdirSync(root, { recursive: true, withFileTypes: true });
  return all
    .filter((entry) => !entry.isDirectory() && /\/(overlay2?|image)(\/|$)/.test(entry.parentPath))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function strike(root: string, { how, at }: Blow): void {
  const files = filesOf(root);
  const path = files[Math.floor((at * files.length) / 10_000)]!;
  const text = fs.lstatSync(path).isFile() ? fs.readFileSync(path) : Buffer.from("x");
  const other = files[(files.indexOf(path) + 7) % files.length]!;
  fs.rmSync(how === "all gone" ? dirname(path) : path, { recursive: true });
  if (how === "empty") fs.writeFileSync(path, "");
  else if (how === "half") fs.writeFileSync(path, text.subarray(0, text.length / 2));
  else if (how === "changed") fs.writeFileSync(path, Buffer.concat([Buffer.from("!"), text.subarray(1)]));
  else if (how === "directory") fs.mkdirSync(path);
  else if (how === "another's" && fs.lstatSync(other).isFile()) fs.copyFileSync(other, path);
}

describe.each(drivers)("whatever befalls a root of %s", (driver) => {
  let original: DamagedRoot;
  let archive: string;
  let copies = 0;
  beforeAll(async () => {
    original = await DamagedRoot.make(driver);
    archive = await original.archive("docker");
  });
  afterAll(() => original?.[Symbol.asyncDispose]());

  async function struck(blows: readonly Blow[]): Promise<string> {
    const root = join(original.path, `copy${copies++}`);
    await output("cp", ["-a", original.root, root]);
    for (const each of blows) strike(root, each);
    return root;
  }

  async function repaired(root: string, from: readonly string[]) {
    const sources = await Promise.all(from.map((path) => openSource(path, root, original.path)));
    const told: string[] = [];
    const tell = async ({ finding: { kind }, text }: Told) => void told.push(`${kind}: ${text}`);
    try {
      return { told, ...(await repair(root, { driver, sources, examineDeeply: deepCheck, tell })) };
    } finally {
      for (const source of sources) await source[Symbol.asyncDispose]();
    }
  }

  const runs = { numRuns: roots, endOnFailure: true };

  test("repair and reclaim take nothing from an image that is whole; nothing is left to a second repair", {
    timeout,
  }, async () => {
    const property = fc.asyncProperty(fc.array(blow, { minLength: 1, maxLength: 4 }), async (blows) => {
      const root = await struck(blows);
      const before = await wholeImages(root, driver);
      await repaired(root, []);
      expect(await wholeImages(root, driver)).toEqual(expect.arrayContaining(before));
      expect((await repaired(root, [])).told).toEqual([]);
      await reclaim(await readRoot(root, driver));
      expect(await wholeImages(root, driver)).toEqual(expect.arrayContaining(before));
      fs.rmSync(root, { recursive: true });
    });
    await fc.assert(property, runs);
  });

  test("with an archive at hand every image is whole again", { timeout }, async () => {
    const property = fc.asyncProperty(fc.array(blow, { minLength: 1, maxLength: 4 }), async (blows) => {
      const root = await struck(blows);
      const { left } = await repaired(root, [archive]);
      expect(left.filter(({ finding }) => finding.severity !== "oddity")).toEqual([]);
      expect((await deepCheck(await readRoot(root, driver))).findings).toEqual([]);
      // What nothing speaks of any more, neither a name nor another image, is not known to have been there.
      const ids = [base, app]
        .map(idOf)
        .filter((id) => fs.existsSync(join(root, "image", driver, "imagedb/content/sha256", id.slice(7))));
      expect(await wholeImages(root, driver)).toEqual(ids.sort());
      fs.rmSync(root, { recursive: true });
    });
    await fc.assert(property, runs);
  });
});
