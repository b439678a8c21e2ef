import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { layerkitMain } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { rawImage } from "./oracle/raw-image.js";
import { rawTar } from "./oracle/raw-tar.js";
import { leftovers } from "./oracle/root-leftovers.js";
import { output, run } from "./oracle/run.js";
import { streamOf } from "./oracle/sample-image.js";
import { spooled } from "./oracle/saved-images.js";
import { scratch } from "./oracle/scratch.js";

const skip = lacking("root", "mounts");

/** Layers that both images have, and one of its own. */
function image(tag: string): Buffer {
  const layer = (name: string) =>
    rawTar(Array.from({ length: 200 }, (_, i) => ({ name: `${name}-${i}`, content: `${name} ${i}\n`.repeat(100) })));
  return rawImage({ tag, layers: [layer("shared"), layer("also-shared"), layer(tag.replace(":", "-"))] });
}

describe.skipIf(skip)("two commands on one data root at the same time", () => {
  test("both finish, and both results are there", { timeout: 60_000 }, async () => {
    await using place = await scratch();
    const root = join(place.path, "root");
    const layerkit = async (...args: string[]) => {
      const { status, stderr } = await run(process.execPath, [layerkitMain, "--root", root, ...args]);
      // The one that is the daemon says so when it has to stay for others.
      return { status, stderr: stderr.replace(/^layerkit: done; staying .*\n/, "") };
    };
    const tags = ["one:1", "two:1", "three:1"];
    const files = await Promise.all(
      tags.map((tag) => spooled(streamOf(image(tag)), join(place.path, `${tag.replace(":", "-")}.tar`))),
    );
    const loads = await Promise.all(files.map((file) => layerkit("load", "-i", file)));
    expect(loads).toEqual(loads.map(() => ({ status: 0, stderr: "" })));

    const creates = await Promise.all(tags.map((tag, i) => layerkit("create", "--name", `c${i}`, tag, "sh")));
    expect(creates).toEqual(creates.map(() => ({ status: 0, stderr: "" })));
    const mixed = await Promise.all([
      layerkit("commit", "c0", "made:1"),
      layerkit("rm", "c1"),
      layerkit("tag", "three:1", "four:1"),
      layerkit("load", "-i", files[0] as string),
    ]);
    expect(mixed).toEqual(mixed.map(() => ({ status: 0, stderr: "" })));

    const images = await output(process.execPath, [layerkitMain, "--root", root, "images", "--format", "json"]);
    const listed = images.split("\n").map((line) => JSON.parse(line) as { Repository: string; Tag: string });
    expect(listed.map(({ Repository, Tag }) => `${Repository}:${Tag}`).sort()).toEqual(
      [...tags, "four:1", "made:1"].sort(),
    );
    expect(await leftovers(root)).toEqual([]);
  });
});
