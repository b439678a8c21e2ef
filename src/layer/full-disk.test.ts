import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { drivers, file, streamOf, TestRoot, tarBytes } from "./store.test.tools.js";

/** A data root on a file system of its own that is soon full. */
async function smallRoot(driver: string, options: string): Promise<TestRoot> {
  const root = await TestRoot.make(driver);
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", root.path]);
  return root;
}

const skipped = process.getuid?.() !== 0 && "mounting a small tmpfs takes root";
if (skipped) console.log(`full-disk tests skipped: ${skipped}`);

describe.skipIf(skipped).for(drivers)("a full disk, on %s", (driver) => {
  test.for([
    ["no space for content", "size=4m", () => tarBytes([file("small", "x"), file("large", "x".repeat(6_000_000))])],
    ["no space for a file more", "nr_inodes=120", () => tarBytes(many((index) => file(`f${index}`, "x")))],
    ["no space for the tar-split", "size=192k", () => tarBytes(many((index) => file(`.wh.${noise(index)}`)))],
  ] as const)("%s: one line that says so, and nothing stays", async ([, options, tar]) => {
    await using root = await smallRoot(driver, options);
    try {
      const store = await root.open();
      const below = await store.register(streamOf(tarBytes([file("below", "x")])), { label: "below" });
      const before = root.inventory();
      const registering = store.register(streamOf(tar()), { label: "layer 2", parent: below.chainID });
      await expect(registering).rejects.toThrow(/^layer 2: (?=.*["'])[^\n]*(ENOSPC|no space)[^\n]*$/i);
      expect(root.inventory().filter((path) => !path.endsWith("committed"))).toEqual(before);
      expect(root.reports).toEqual([]);
      const small = await store.register(streamOf(tarBytes([file("s", "x")])), { label: "l", parent: below.chainID });
      expect(fs.existsSync(join(root.layerdb, "sha256", small.chainID.slice(7)))).toBe(true);
      await root.closeAll();
    } finally {
      execFileSync("umount", ["-l", root.path]);
    }
  });
});

describe.skipIf(skipped || !drivers.includes("overlay2"))("a disk that is full when layers are to be placed", () => {
  test("none is there, they stay loose, and are placed once there is room", async () => {
    await using root = await smallRoot("overlay2", "nr_inodes=200");
    try {
      const store = await root.open();
      const empty = root.inventory();
      const tars = ["a", "b", "c"].map((name) => tarBytes([file(name, name)]));
      const loose = await Promise.all(tars.map((tar) => store.unpack(streamOf(tar), { label: "loose" })));
      const before = root.inventory();
      // Room for the facts of the first layer, and then for a few of the second.
      for (const room of [0, 2, 4, 6]) {
        fs.mkdirSync(join(root.path, "filler"));
        fillInodes(join(root.path, "filler"), room);
        await expect(store.place(loose)).rejects.toThrow(/^[^\n]*(ENOSPC|no space)[^\n]*$/i);
        fs.rmSync(join(root.path, "filler"), { recursive: true });
        expect(store.list()).toEqual([]);
        expect(root.inventory().filter((path) => !path.endsWith("committed"))).toEqual(before);
      }
      const chain = await store.place(loose);
      expect((await root.open()).list()).toHaveLength(3);
      await store.release(chain[2]!.chainID);
      expect(root.inventory()).toEqual(empty);
      await root.closeAll();
    } finally {
      execFileSync("umount", ["-l", root.path]);
    }
  });
});

/** Makes files until `room` more can be made. */
function fillInodes(dir: string, room: number): void {
  const made: string[] = [];
  try {
    for (let index = 0; ; index++) {
      const path = join(dir, String(index));
      fs.writeFileSync(path, "");
      made.push(path);
    }
  } catch (error) {
    expect(error).toMatchObject({ code: "ENOSPC" });
  }
  for (const path of made.slice(0, room)) fs.rmSync(path);
}

function many<T>(make: (index: number) => T): T[] {
  return Array.from({ length: 10_000 }, (_, index) => make(index));
}

/** Names that do not compress. */
function noise(index: number): string {
  return Buffer.from(String(Math.sin(index))).toString("base64url");
}
