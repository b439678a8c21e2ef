import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { Conflict, randomID } from "../../spec/index.js";
import { openWriter } from "../write/open-writer.js";
import { Bench, writeWhole } from "./bench.js";
import type { Cases } from "./cases.js";
import { directory, file, opaque, whiteout } from "./changes.js";

/** Mounts, fillings, and calls that come at the same time. */
export const lifetimes: Cases = (test, bench, open) => {
  test("mounts of one layer are one, at one path, until the last is disposed", async () => {
    const { driver } = bench();
    const id = await bench().create(await bench().layer(undefined, [file("below")]));
    const first = await driver.mount(id);
    const second = await driver.mount(id);
    expect(second.path).toBe(first.path);
    writeFileSync(join(first.path, "f"), "1");
    await first[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
    expect(readFileSync(join(second.path, "f"), "utf8")).toBe("1");
    await expect(driver.remove(id)).rejects.toThrow(Conflict);
    await second[Symbol.asyncDispose]();
    await driver.remove(id);
    expect(existsSync(first.path)).toBe(false);
  });

  test("many calls for one layer at the same time all succeed", async () => {
    const { driver } = bench();
    const id = await bench().create(await bench().layer(undefined, [file("below")]));
    const rounds = Array.from({ length: 30 }, async (_, i) => {
      const mounted = await driver.mount(id);
      expect(readFileSync(join(mounted.path, "below"), "utf8")).toBe("below");
      if (i % 3 === 0) await driver.diffSize(id);
      await mounted[Symbol.asyncDispose]();
    });
    await Promise.all(rounds);
    await driver.remove(id);
  });

  test("of many that create one id one succeeds, and removing it meanwhile leaves nothing half done", async () => {
    const { driver } = bench();
    const parent = await bench().layer(undefined, [file("below")]);
    const id = randomID();
    const created = await Promise.allSettled(Array.from({ length: 10 }, () => driver.create(id, parent)));
    expect(created.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await Promise.all([driver.remove(id), driver.remove(id), driver.has(id)]);
    expect(await driver.has(id)).toBe(false);
    await driver.create(id, parent);
    expect(await bench().tree(id)).toHaveLength(1);
  });

  test("a filling that is not committed leaves the layer as it was, and it can be filled again", async () => {
    const parent = await bench().layer(undefined, [file("below"), directory("d"), file("d/f")]);
    const id = await bench().create(parent);
    const before = await bench().tree(parent);
    const lying = { ...file("short"), size: 9 };
    const attempt = bench().fill(id, [file("new"), whiteout("below"), opaque("d"), file("x/y"), lying]);
    await expect(attempt).rejects.toMatchObject({ code: "data-loss" });
    expect(await bench().tree(id)).toEqual(before);
    const again = await bench().create(parent);
    await expect(bench().fill(again, [file("a"), file("a/b")])).rejects.toMatchObject({ code: "invalid-parameter" });
    await bench().fill(again, [file("new")]);
    expect((await bench().tree(again)).join("\n")).toContain('"new"');
  });

  test("while a layer is filled it cannot be mounted, read, removed or filled by another", async () => {
    const { driver } = bench();
    const id = await bench().create();
    {
      await using _filling = await driver.fill(id);
      for (const method of ["mount", "remove", "fill", "openDiff", "openContent"] as const) {
        await expect(driver[method](id)).rejects.toThrow("is being filled");
      }
    }
    await bench().fill(id, [file("f")]);
    await expect(driver.fill(id)).rejects.toThrow(Conflict);
    await driver.remove(id);
  });

  test("layers are filled in any order, or bottom first where they depend on each other", async () => {
    const { driver } = bench();
    const base = await bench().create();
    await using lower = await driver.fill(base);
    const id = randomID();
    const upon = driver.create(id, base);
    if (driver.attach) await upon;
    else await expect(upon).rejects.toThrow("is being filled");
    const writer = openWriter(lower.target);
    writeWhole(writer, directory("d"));
    writer.finish();
    writer[Symbol.dispose]();
    await lower.commit();
    if (!driver.attach) await driver.create(id, base);
    await bench().fill(id, [file("d/f")]);
    expect(await bench().tree(id)).toHaveLength(2);
  });

  test("what a crash left mounted is taken over by the next driver, and unmounted with its last use", async () => {
    await using other = await Bench.open(open);
    const id = await other.create(await other.layer(undefined, [file("below")]));
    const lost = await other.driver.mount(id);
    writeFileSync(join(lost.path, "f"), "1");
    const next = await open(other.dataRoot);
    const mounted = await next.mount(id);
    expect(mounted.path).toBe(lost.path);
    expect(readFileSync(join(mounted.path, "f"), "utf8")).toBe("1");
    await mounted[Symbol.asyncDispose]();
    const size = await next.diffSize(id);
    expect(size).toBe(1);
    await next.remove(id);
    expect(existsSync(lost.path)).toBe(false);
  });

  test("a layer that a crash left mounted can be removed at once", async () => {
    await using other = await Bench.open(open);
    const id = await other.create(await other.layer(undefined, [file("below")]));
    const lost = await other.driver.mount(id);
    const next = await open(other.dataRoot);
    await next.remove(id);
    expect(existsSync(lost.path)).toBe(false);
    expect(await next.has(id)).toBe(false);
  });

  test("a data root with a path of more than 200 bytes has room for the deepest chain", async () => {
    await using other = await Bench.open(open, `${"long/".repeat(20)}${"x".repeat(120)}`);
    const { driver } = other;
    let top = await other.layer(undefined, [file("bottom")]);
    // What Docker allows an image, with an init layer and a container upon it; copies are costlier.
    const depth = driver.attach ? 127 : 3;
    for (let i = 1; i < depth; i++) top = await other.create(top);
    await other.within(top, (path) => {
      expect(readFileSync(join(path, "bottom"), "utf8")).toBe("bottom");
      writeFileSync(join(path, "new"), "");
    });
    expect(await other.changes(top)).toEqual(["A /new"]);
    expect(await other.diff(top)).toHaveLength(1);
  });

  test("closing the driver leaves nothing mounted", async () => {
    await using other = await Bench.open(open);
    const id = await other.create(await other.layer(undefined, [file("below")]));
    await other.driver.mount(id);
    await other.driver.close();
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(other.dataRoot);
    rmSync(other.dataRoot, { recursive: true });
  });
};
