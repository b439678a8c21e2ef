import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Engine } from "../src/engine/index.js";
import { lacking } from "./oracle/programs.js";
import { rawImage } from "./oracle/raw-image.js";
import { rawTar } from "./oracle/raw-tar.js";
import { leftovers } from "./oracle/root-leftovers.js";
import { collected, streamOf } from "./oracle/sample-image.js";
import { scratch } from "./oracle/scratch.js";

const skip = lacking("root", "mounts");

/** An image in which layer n brings file `n`, and every layer the file `top` anew. */
function deepImage(tag: string, depth: number): Buffer {
  const layers = Array.from({ length: depth }, (_, i) =>
    rawTar([
      { name: String(i + 1), content: `${i + 1}` },
      { name: "top", content: `${i + 1}` },
    ]),
  );
  return rawImage({ tag, layers });
}

const names = (depth: number) => Array.from({ length: depth }, (_, i) => String(i + 1));

/** Where the lower directories' full paths fill a page of mount options many times over. */
const longDirectory = Array.from({ length: 8 }, (_, i) => String(i).repeat(200)).join("/");

describe.skipIf(skip)("125 layers, the most that Docker allows", () => {
  test.for([
    ["a short data root", "root"],
    ["a data root of 1,600 characters", longDirectory],
  ])("carry a container in %s", { timeout: 120_000 }, async ([, directory = ""]) => {
    await using place = await scratch();
    const root = join(place.path, directory);
    await mkdir(root, { recursive: true });
    await using engine = await Engine.open({ root });
    await collected(engine.images.load(streamOf(deepImage("deep:125", 125))));
    const { Id } = await engine.containers.create({ Image: "deep:125", Cmd: ["x"] });
    {
      await using mounted = await engine.containers.mount(Id);
      expect((await readdir(mounted.path)).filter((name) => /^\d+$/.test(name)).sort()).toEqual(names(125).sort());
      await writeFile(join(mounted.path, "new"), "new");
    }
    expect(await engine.containers.changes(Id)).toEqual([{ Path: "/new", Kind: 1 }]);
    await expect(engine.containers.commit(Id, { repo: "deeper" })).rejects.toThrow(/max depth exceeded.*125/);
    expect(await leftovers(root), "the refused commit leaves nothing").toEqual([]);
  });

  test("are not exceeded: the 126th is refused with the limit in the message", { timeout: 60_000 }, async () => {
    await using place = await scratch();
    await using engine = await Engine.open({ root: place.path });
    const load = collected(engine.images.load(streamOf(deepImage("deep:126", 126))));
    await expect(load).rejects.toThrow(/max depth exceeded.*125/);
    expect(await engine.images.list({ all: true })).toEqual([]);
    expect(await leftovers(place.path)).toEqual([]);
  });
});
