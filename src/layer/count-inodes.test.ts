import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ChainID } from "../spec/index.js";
import { directory, drivers, file, streamOf, TestRoot, tarBytes } from "./store.test.tools.js";

const link = (name: string, linkname: string, type: string) => ({ name, linkname, type });

/** Bottom first. */
const layers = [
  [
    directory("a"),
    file("a/x", "x"),
    link("a/y", "a/x", "1"),
    file("b/implied", "y"),
    link("s", "a", "2"),
    file("z", "z"),
  ],
  [file(".wh.z"), directory("a"), file("a/.wh..wh..opq"), file("a/new", "new"), { name: "pipe", type: "6" }],
  [file("z/again", "z"), file("b/.wh.implied"), link("b/link", "s", "2"), file("a/new", "newer")],
].map((members) => tarBytes(members));

describe.for(drivers.filter((name) => name !== "vfs"))("inodes of a chain, on %s", (driver) => {
  test("are as many as are told by tar-split for this driver, whichever the root has", async () => {
    await using root = await TestRoot.make(driver);
    const store = await root.open();
    let top: ChainID | undefined;
    for (const tar of layers) {
      const options = { label: "layer", ...(top && { parent: top }) };
      top = (await store.register(streamOf(tar), options)).chainID;
      const told = await store.inodes(top);
      expect(told[driver as "overlay"]).toBe(inodesBelow(root.home));
    }
    await expect(store.inodes("sha256:none" as ChainID)).rejects.toThrow("layer does not exist");
  });

  test("cannot be told where a layer writes through its own symlinks", async () => {
    await using root = await TestRoot.make(driver);
    const store = await root.open();
    const tar = tarBytes([directory("d"), link("s", "d", "2"), file("s/f", "f")]);
    const { chainID } = await store.register(streamOf(tar), { label: "layer" });
    await expect(store.inodes(chainID)).rejects.toMatchObject({ code: "invalid-parameter" });
  });
});

/** Of all layers, and overlay2's short names; the home's own directories left out. */
function inodesBelow(home: string): number {
  const inodes = new Set<number>();
  const visit = (path: string) => {
    const stat = lstatSync(path);
    inodes.add(stat.ino);
    if (stat.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
  };
  for (const name of readdirSync(home).filter((name) => name !== "l")) visit(join(home, name));
  const links = readdirSync(home).includes("l") ? readdirSync(join(home, "l")).length : 0;
  return inodes.size + links;
}
