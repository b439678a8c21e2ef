import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { AlreadyExists, type CacheID, NotFound, randomID } from "../../spec/index.js";
import type { Cases } from "./cases.js";
import { directory, file, whiteout } from "./changes.js";
import { manyFiles, manyFilesPath, seededBytes } from "./seeded.js";

/** What upstream's graphtest demands of every driver. @see docker-data-root 12.1 */
export const basics: Cases = (test, bench) => {
  test("an empty layer is an empty directory of root's, and goes without a trace", async () => {
    const id = await bench().create();
    expect(await bench().driver.has(id)).toBe(true);
    await bench().within(id, (path) => {
      expect(readdirSync(path)).toEqual([]);
      expect(lstatSync(path)).toMatchObject({ mode: 0o040755, uid: 0, gid: 0 });
    });
    await bench().driver.remove(id);
    expect(await bench().driver.has(id)).toBe(false);
    expect(await bench().driver.list()).not.toContain(id);
  });

  test("what is written through a mount has its modes and owners, in the layer and in one upon it", async () => {
    const base = await bench().create();
    const inside = await bench().within(base, (path) => {
      const [dir, name] = [join(path, "a subdir"), join(path, "a file")];
      mkdirSync(dir);
      chownSync(dir, 1, 2);
      chmodSync(dir, 0o1705);
      writeFileSync(name, "Some data");
      chmodSync(name, 0o4222);
      return lines(path);
    });
    const expected = ['"a file" 104222 0:0 Some data', '"a subdir" 41705 1:2'];
    expect(inside).toEqual(expected);
    const snap = await bench().create(base);
    expect(await bench().within(snap, lines)).toEqual(expected);
    await bench().driver.remove(snap);
    await bench().driver.remove(base);
  });

  test("the deepest chain there may be shows every layer", async () => {
    const { driver } = bench();
    const base = await bench().layer(undefined, [file("testfile.txt", "test content", { mode: 0o755 })]);
    // Upstream: 128 for overlay2. A driver that copies everything is not asked for so many.
    const depth = driver.attach ? driver.maxDepth - 1 : 20;
    let top = base;
    for (let i = 1; i <= depth; i++) {
      const id = randomID();
      await driver.create(id, top);
      const own = [file(`layer-${i}/layer-id`, id), file(`layer-${i}/parent-id`, top), file("top-id", id)];
      await bench().fill(id, own);
      top = id;
    }
    await bench().within(top, (path) => {
      const read = (name: string) => readFileSync(join(path, name), "utf8");
      expect(read("testfile.txt")).toBe("test content");
      expect(read("top-id")).toBe(top);
      let expected: CacheID = top;
      for (let i = depth; i > 0; i--) {
        expect(read(`layer-${i}/layer-id`)).toBe(expected);
        expected = read(`layer-${i}/parent-id`);
      }
      expect(expected).toBe(base);
    });
    if (depth === driver.maxDepth - 1) {
      await expect(driver.create(randomID(), top)).rejects.toThrow(
        `max depth exceeded: a chain has at most ${driver.maxDepth} layers`,
      );
    }
  }, 60_000);

  test("a layer's diff, applied upon its parent, makes the same tree and the same size", async () => {
    const base = await bench().layer(undefined, [
      ...manyFiles(10, 3),
      file("file-remove.txt"),
      directory("var"),
      directory("var/lib"),
    ]);
    const upper = await bench().layer(base, [...manyFiles(10, 6), whiteout("file-remove.txt"), whiteout("var/lib")]);
    const diff = await bench().create(base);
    const read = (id: CacheID) => bench().within(id, (path) => readFileSync(join(path, manyFilesPath(7))));
    expect(await read(diff)).toEqual(Buffer.from(seededBytes(64, 3 * 1_000_003 + 7)));
    await bench().driver.remove(diff);
    const again = await bench().create(base);
    const size = await bench().fill(again, await bench().diff(upper));
    expect(size).toBe(await bench().driver.diffSize(upper));
    expect(await read(again)).toEqual(Buffer.from(seededBytes(64, 6 * 1_000_003 + 7)));
    const tree = await bench().tree(again);
    expect(tree).toEqual(await bench().tree(upper));
    expect(tree.join("\n")).not.toMatch(/file-remove|var\/lib/);
  });

  test("what was changed, added and removed in a mount is listed", async () => {
    const base = await bench().layer(undefined, manyFiles(20, 3));
    const upper = await bench().create(base);
    const expected = ["C /directory-0"];
    await bench().within(upper, (path) => {
      for (let i = 0; i < 20; i++) {
        const at = join(path, manyFilesPath(i));
        const added = `/directory-0/file-6-${i}`;
        if (i % 3 === 0) writeFileSync(at, seededBytes(64, i));
        else if (i % 3 === 1) writeFileSync(path + added, "");
        else rmSync(at);
        expected.push(["C", "A", "D"][i % 3] + (i % 3 === 1 ? ` ${added}` : ` /${manyFilesPath(i)}`));
      }
    });
    expect((await bench().changes(upper)).sort()).toEqual(expected.sort());
  });

  test("an unknown parent is refused, a taken id too; removing what is not there is fine", async () => {
    const { driver } = bench();
    const id = randomID();
    await expect(driver.create(id, randomID())).rejects.toThrow(NotFound);
    expect(await driver.has(id)).toBe(false);
    await driver.create(id);
    await expect(driver.create(id)).rejects.toThrow(AlreadyExists);
    expect(await driver.has(id)).toBe(true);
    await driver.remove(id);
    await driver.remove(id);
    for (const method of ["mount", "diffSize", "metadata", "fill"] as const) {
      await expect(driver[method](id)).rejects.toThrow(NotFound);
    }
  });

  test("an id that leads elsewhere is refused", async () => {
    const { driver } = bench();
    for (const id of ["", ".", "..", "../x", "a/b", "l", "-x", "a\0b"]) {
      await expect(driver.create(id), id).rejects.toMatchObject({ code: "invalid-parameter" });
      await expect(driver.remove(id), id).rejects.toMatchObject({ code: "invalid-parameter" });
      await expect(driver.mount(id), id).rejects.toMatchObject({ code: "invalid-parameter" });
    }
  });
};

/** Name, type and mode, owner and content of what is right in a directory. */
function lines(path: string): string[] {
  return readdirSync(path).map((name) => {
    const stat = lstatSync(join(path, name));
    const content = stat.isFile() ? ` ${readFileSync(join(path, name), "utf8")}` : "";
    return `"${name}" ${stat.mode.toString(8)} ${stat.uid}:${stat.gid}${content}`;
  });
}
