import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lacking } from "../../../test/oracle/programs.js";
import { output } from "../../../test/oracle/run.js";
import { scratch } from "../../../test/oracle/scratch.js";
import { randomID } from "../../spec/index.js";
import { llistxattr } from "../../sys/index.js";
import { Bench } from "../suite/bench.js";
import { directory, file, opaque, whiteout } from "../suite/changes.js";
import { Overlay2 } from "./overlay2.js";

describe.skipIf(lacking("mounts"))("overlay2 on disk", () => {
  let bench: Bench;
  let home: string;
  beforeAll(async () => {
    bench = await Bench.open(Overlay2.open);
    home = join(bench.dataRoot, "overlay2");
  });
  afterAll(() => bench?.[Symbol.asyncDispose]());

  const read = (...path: string[]) => fs.readFileSync(join(home, ...path), "utf8");
  /** Names with type and mode, `diff 40755`. */
  const listed = (...path: string[]) =>
    fs.readdirSync(join(home, ...path)).map((name) => {
      return `${name} ${fs.lstatSync(join(home, ...path, name)).mode.toString(8)}`;
    });

  test("the home and its directory of short names have Docker's modes", () => {
    expect(listed("..")).toEqual(["overlay2 40710"]);
    expect(listed()).toContain("l 40700");
  });

  test("a layer upon nothing", async () => {
    const id = await bench.create();
    expect(listed(id)).toEqual(["diff 40755", "link 100644"]);
    expect(fs.statSync(join(home, id)).mode).toBe(0o040710);
    expect(read(id, "link")).toMatch(/^[A-Z2-7]{26}$/);
    expect(fs.readlinkSync(join(home, "l", read(id, "link")))).toBe(`../${id}/diff`);
    expect(await bench.driver.metadata(id)).toEqual({
      MergedDir: join(home, id, "merged"),
      UpperDir: join(home, id, "diff"),
      WorkDir: join(home, id, "work"),
    });
  });

  test("layers upon it: lower is topmost first, the parent is committed, metadata shows resolved names", async () => {
    const base = await bench.create();
    const middle = await bench.create(base);
    const top = await bench.create(middle);
    expect(listed(base)).toEqual(["committed 100600", "diff 40755", "link 100644"]);
    expect(listed(top)).toEqual(["diff 40755", "link 100644", "lower 100644", "work 40700"]);
    expect(read(base, "committed")).toBe("");
    expect(read(top, "lower")).toBe(`l/${read(middle, "link")}:l/${read(base, "link")}`);
    expect((await bench.driver.metadata(top)).LowerDir).toBe(
      `${join(home, middle, "diff")}:${join(home, base, "diff")}`,
    );
  });

  test("a layer attached afterwards has the files and modes of one made upon its parent, and the same marks", async () => {
    const base = await bench.layer(undefined, [file("below"), directory("d"), file("d/below")]);
    const changes = [opaque(""), directory("d"), file("own")];
    const made = await bench.layer(base, changes);
    const attached = await bench.layer(undefined, changes);
    await bench.driver.attach?.(attached, base);
    expect(listed(attached)).toEqual(listed(made));
    expect(listed(attached, "diff")).toEqual(listed(made, "diff"));
    expect(read(attached, "lower")).toBe(read(made, "lower"));
    const marks = (id: string) => ["", "d"].map((name) => llistxattr(join(home, id, "diff", name)));
    expect(marks(attached)).toEqual([[], ["trusted.overlay.opaque"]]);
    expect(marks(made)).toEqual(marks(attached));
  });

  test("modes do not depend on the umask", async () => {
    const umask = process.umask(0o077);
    try {
      const id = await bench.create(await bench.create());
      expect(listed(id)).toEqual(["diff 40755", "link 100644", "lower 100644", "work 40700"]);
    } finally {
      process.umask(umask);
    }
  });

  test("mounted: the topmost read-write with Docker's options, one with a child read-only, merged only as long", async () => {
    const base = await bench.layer(undefined, [file("f")]);
    const middle = await bench.create(base);
    const top = await bench.create(middle);
    await bench.within(top, (path) => {
      const line = mountLine(path);
      expect(line).toMatch(/^overlay \S+ overlay rw,/);
      const lowers = [middle, base].map((id) => `${home}/l/${read(id, "link")}`);
      expect(line).toContain(`lowerdir=${lowers.join(":")},upperdir=${home}/${top}/diff,workdir=${home}/${top}/work`);
      fs.writeFileSync(join(path, "new"), "");
      expect(listed(top)).toContain("merged 40755");
      expect(listed(top, "work")).toEqual(["work 40000"]);
    });
    expect(listed(top)).toEqual(["diff 40755", "link 100644", "lower 100644", "work 40700"]);
    await bench.within(middle, (path) => {
      expect(mountLine(path)).toContain(`lowerdir=${home}/${middle}/diff:${home}/l/${read(base, "link")}`);
      expect(() => fs.writeFileSync(join(path, "f"), "")).toThrow("EROFS");
    });
    await bench.within(base, (path) => expect(path).toBe(join(home, base, "diff")));
  });

  test("a layer's whiteouts are 0:0 devices of mode 0, opaque is an xattr", async () => {
    const id = await bench.create(await bench.create());
    await bench.fill(id, [whiteout("gone"), directory("d"), opaque("d")]);
    const { mode, rdev } = fs.lstatSync(join(home, id, "diff/gone"));
    expect([mode, rdev]).toEqual([0o020000, 0]);
    const kinds = (await bench.diff(id)).map(({ kind, path }) => `${kind} ${path}`);
    expect(kinds).toEqual(["directory d", "opaque d", "whiteout gone"]);
  });

  test("removed, neither the directory nor the short name stays; what is left of a half-made layer goes too", async () => {
    const before = fs.readdirSync(join(home, "l"));
    const id = await bench.create();
    await bench.driver.remove(id);
    // As a crash leaves it: the short name is made before the file that tells it, which is empty or zeros for a moment.
    for (const link of [undefined, "", "\0".repeat(26)]) {
      const half = randomID();
      fs.mkdirSync(join(home, half, "diff"), { recursive: true });
      fs.symlinkSync(`../${half}/diff`, join(home, "l", "HALFMADEHALFMADEHALFMADEHA"));
      if (link !== undefined) fs.writeFileSync(join(home, half, "link"), link);
      expect(await bench.driver.list()).toContain(half);
      await bench.driver.remove(half);
      expect(fs.readdirSync(join(home, "l"))).toEqual(before);
      expect(fs.existsSync(join(home, half))).toBe(false);
    }
  });

  test("a layer that cannot be made leaves nothing, not even the mark on its parent", async () => {
    const parent = await bench.create();
    const id = randomID();
    fs.mkdirSync(join(home, parent, "committed-is-in-the-way"));
    const links = fs.readdirSync(join(home, "l")).length;
    // Nothing can be made under a `lower` this long: a damaged parent.
    fs.writeFileSync(join(home, parent, "lower"), Array(200).fill("l/X").join(":"));
    await expect(bench.driver.create(id, parent)).rejects.toThrow("max depth exceeded");
    fs.rmSync(join(home, parent, "lower"));
    fs.rmSync(join(home, parent, "link"));
    await expect(bench.driver.create(id, parent)).rejects.toThrow("ENOENT");
    expect(fs.existsSync(join(home, id))).toBe(false);
    expect(fs.existsSync(join(home, parent, "committed"))).toBe(false);
    expect(fs.readdirSync(join(home, "l"))).toHaveLength(links);
  });

  test("a layer with a hostile link file takes nothing with it", async () => {
    const [id, other] = [await bench.create(), await bench.create()];
    const own = read(id, "link");
    fs.writeFileSync(join(home, id, "link"), `../${other}/link`);
    await bench.driver.remove(id);
    expect(read(other, "link")).toMatch(/^[A-Z2-7]{26}$/);
    expect(fs.readdirSync(join(home, "l"))).not.toContain(own);
  });

  test("a missing short name of a lower layer makes mounting fail, with the reason, and leaves nothing mounted", async () => {
    const base = await bench.create();
    const top = await bench.create(base);
    fs.rmSync(join(home, "l", read(base, "link")));
    await expect(bench.driver.mount(top)).rejects.toThrow(/error creating overlay mount to .*merged: ENOENT/);
    expect(listed(top)).not.toContain(expect.stringContaining("merged"));
    await bench.driver.remove(top);
  });

  describe("mounted by somebody with other options", () => {
    /** Base and top, the top mounted by hand with `options` and left to `work`. */
    async function byHand(options: string, work: (path: string) => void): Promise<[base: string, top: string]> {
      const base = await bench.layer(undefined, [directory("d"), file("d/f", "content")]);
      const top = await bench.create(base);
      const at = (name: string) => join(home, top, name);
      fs.mkdirSync(at("merged"));
      const layers = `lowerdir=${join(home, base, "diff")},upperdir=${at("diff")},workdir=${at("work")}`;
      await output("mount", ["-t", "overlay", "-o", `${layers},${options}`, "overlay", at("merged")]);
      try {
        work(at("merged"));
      } finally {
        await output("umount", [at("merged")]);
      }
      return [base, top];
    }

    test("a directory that the kernel has renamed by a redirect is seen under its new name", async () => {
      const [base, top] = await byHand("redirect_dir=on", (path) => fs.renameSync(join(path, "d"), join(path, "e")));
      expect(await bench.changes(top)).toEqual(["D /d", "A /e", "A /e/f"]);
      const again = await bench.layer(base, await bench.diff(top));
      expect(await bench.tree(again)).toEqual(['"e" dir 755 0:0', '"e/f" file "content" 644 0:0']);
    });

    test("a file whose content is still below is not taken for one of zeros", async () => {
      const [, top] = await byHand("metacopy=on", (path) => fs.chmodSync(join(path, "d/f"), 0o600));
      await expect(bench.diff(top)).rejects.toThrow(/"d\/f": .*metacopy/);
    });
  });

  test("opened to be read only, nothing is made, mounted or unmounted", async () => {
    const id = await bench.create(await bench.layer(undefined, [file("f")]));
    await using mounted = await bench.driver.mount(id);
    fs.writeFileSync(join(mounted.path, "new"), "");
    const before = fs.readdirSync(home);
    const reader = await Overlay2.open(bench.dataRoot, { readOnly: true });
    expect(await reader.diffSize(id)).toBe(0);
    const changes = [];
    for await (const change of reader.changes(id)) changes.push(change);
    expect(changes).toEqual([{ kind: "added", path: "/new" }]);
    await expect(reader.create(randomID())).rejects.toMatchObject({ code: "forbidden" });
    await expect(reader.mount(id)).rejects.toMatchObject({ code: "forbidden" });
    await expect(reader.remove(id)).rejects.toMatchObject({ code: "forbidden" });
    await reader.close();
    expect(mountLine(mounted.path)).toBeDefined();
    expect(fs.readdirSync(home)).toEqual(before);
  });

  test("closing unmounts what is in the home, and not the home", async () => {
    await using disk = await scratch();
    const own = join(disk.path, "overlay2");
    fs.mkdirSync(own);
    await output("mount", ["-t", "tmpfs", "none", own]);
    try {
      const driver = await Overlay2.open(disk.path);
      const [base, top] = [randomID(), randomID()];
      await driver.create(base);
      await driver.create(top, base);
      const { path } = await driver.mount(top);
      await driver.close();
      expect(mountLine(path)).toBeUndefined();
      expect(mountLine(own)).toBeDefined();
    } finally {
      await output("umount", [own]);
    }
  });

  test("what else lies in the home is no layer", async () => {
    fs.mkdirSync(join(home, "deadbeef"));
    fs.writeFileSync(join(home, "a".repeat(64)), "");
    const all = await bench.driver.list();
    expect(all.every((id) => /^[0-9a-f]{64}$/.test(id))).toBe(true);
    expect(all).not.toContain("a".repeat(64));
  });

  function mountLine(path: string): string | undefined {
    return fs
      .readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .find((line) => line.split(" ")[1] === path);
  }
});
