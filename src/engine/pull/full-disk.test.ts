import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BadRegistry } from "../../../test/oracle/bad-registry.js";
import { layerTar } from "../../../test/oracle/image-stores.js";
import { lacking } from "../../../test/oracle/programs.js";
import { leftovers } from "../../../test/oracle/root-leftovers.js";
import { collected } from "../../../test/oracle/sample-image.js";
import { loopDisk } from "../../../test/oracle/scratch.js";
import { Engine } from "../engine.js";

describe.skipIf(lacking("root", "mounts", "loop", "mkfs.ext4"))("a pull onto a disk that is too small", () => {
  test("ends in one line and leaves nothing; what fits comes after it", { timeout: 60_000 }, async () => {
    await using disk = await loopDisk("ext4", "24M", ["-O", "^has_journal"]);
    await using registry = await BadRegistry.start();
    const small = layerTar({ small: randomBytes(300_000) });
    registry.addImage("large:1", [small, layerTar({ large: randomBytes(30 << 20) }), small]);
    registry.addImage("small:1", [small]);
    const root = join(disk.path, "root");
    await using engine = await Engine.open({ root, driver: "overlay2", report: () => {} });
    await collected(engine.images.pull(`${registry.host}/small:1`));
    await engine.images.remove(`${registry.host}/small:1`);
    const paths = async () => (await readdir(root, { recursive: true })).sort();
    const before = await paths();
    const failure = collected(engine.images.pull(`${registry.host}/large:1`));
    await expect(failure).rejects.toThrow(/^layer \d of 3 \(sha256:\w+\): .*no space left on [^\n]*$/);
    expect(await paths()).toEqual(before);
    expect(await leftovers(root)).toEqual([]);
    await collected(engine.images.pull(`${registry.host}/small:1`));
    expect(engine.layers.ofImage(`${registry.host}/small:1`)).toHaveLength(1);
  });
});
