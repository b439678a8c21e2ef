import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lacking } from "../../../test/oracle/programs.js";
import { output } from "../../../test/oracle/run.js";
import { type Scratch, scratch } from "../../../test/oracle/scratch.js";
import { lsetxattr, mknodat, S } from "../../sys/index.js";
import { listedByComparing } from "../suite/listed-by-comparing.js";
import { seededBytes } from "../suite/seeded.js";
import { changedPaths } from "./changed-paths.js";
import { UponLayers } from "./upon-layers.js";

/** Names that make a path too long to be asked for from the root. */
const deep = Array.from({ length: 3 }, (_, i) => `${i}`.repeat(240)).join("/");
const few = ["a", "b", "c", "d"];
const many = Array.from({ length: 40 }, (_, i) => `n${i}`);

describe.skipIf(lacking("root", "mounts"))("what an upper directory changes over layers that are not mounted", () => {
  let disk: Scratch;
  beforeAll(async () => {
    disk = await scratch("/dev/shm");
  });
  afterAll(() => disk[Symbol.asyncDispose]());

  const worlds = Array.from({ length: 12 }, (_, seed) => [seed, "few names", few, ""] as const);
  test.for([...worlds, [12, "many names", many, ""], [13, "long paths", few, deep], [14, "both", many, deep]] as const)(
    "is what the kernel's mounts of both differ in: world %i of %s",
    async ([seed, , names, below]) => {
      const at = (name: string) => join(disk.path, String(seed), name);
      const random = randoms(seed);
      const layers = ["upper", "l0", "l1", "l2"].map(at);
      for (const layer of layers) grow(join(layer, below), names, random, 3);
      for (const name of ["work", "parent", "merged"]) fs.mkdirSync(at(name));
      const [upper, ...lowers] = layers;
      const lowerdir = `lowerdir=${lowers.join(":")}`;
      const writable = `${lowerdir},upperdir=${upper},workdir=${at("work")}`;
      await output("mount", ["-t", "overlay", "-o", lowerdir, "overlay", at("parent")]);
      try {
        await output("mount", ["-t", "overlay", "-o", writable, "overlay", at("merged")]);
        const found: string[] = [];
        for await (const { kind, path } of changedPaths(UponLayers.open(upper!, lowers, "trusted.overlay."))) {
          found.push(`${{ modified: "C", added: "A", deleted: "D" }[kind]} ${path}`);
        }
        expect(found.toSorted()).toEqual(listedByComparing(at("parent"), at("merged")));
        expect(found.length).toBeGreaterThan(0);
      } finally {
        await output("umount", [at("merged")]).catch(() => {});
        await output("umount", [at("parent")]);
      }
    },
  );
});

/** Gives numbers below `n`. */
function randoms(seed: number): (n: number) => number {
  const bytes = seededBytes(100_000, seed);
  let at = 0;
  return (n) => bytes[at++ % bytes.length]! % n;
}

/** Fills a directory with what a layer may hold. */
function grow(directory: string, names: readonly string[], random: (n: number) => number, levels: number): void {
  fs.mkdirSync(directory, { recursive: true });
  if (random(5) === 0) lsetxattr(directory, "trusted.overlay.opaque", Buffer.from("y"));
  for (const name of names) {
    const path = join(directory, name);
    const kind = random(8);
    if (kind < 2) {
      fs.writeFileSync(path, "x".repeat(random(2)));
      fs.utimesSync(path, 1, 1 + random(2));
    } else if (kind === 2) mknodat(-100, path, S.IFCHR, 0, 0);
    else if (kind < 5 && levels > 1) grow(path, few, random, levels - 1);
  }
}
