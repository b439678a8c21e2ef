import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lacking } from "../../../test/oracle/programs.js";
import { output } from "../../../test/oracle/run.js";
import { loopDisk, scratch } from "../../../test/oracle/scratch.js";
import { type CacheID, randomID } from "../../spec/index.js";
import { linkTree } from "../copy/link-tree.js";
import { Bench } from "../suite/bench.js";
import { directory, fifo, file, hardlink, symlink } from "../suite/changes.js";
import { snapshot } from "../suite/snapshot.js";
import { Overlay } from "./overlay.js";

describe.skipIf(lacking("root", "mounts"))("overlay on disk", () => {
  let bench: Bench;
  let home: string;
  beforeAll(async () => {
    bench = await Bench.open(Overlay.open);
    home = join(bench.dataRoot, "overlay");
  });
  afterAll(() => bench?.[Symbol.asyncDispose]());

  const read = (...path: string[]) => fs.readFileSync(join(home, ...path), "utf8");
  const inode = (...path: string[]) => fs.lstatSync(join(home, ...path)).ino;
  /** Names with type and mode, `root 40755`. */
  const listed = (...path: string[]) =>
    fs.readdirSync(join(home, ...path)).map((name) => {
      return `${name} ${fs.lstatSync(join(home, ...path, name)).mode.toString(8)}`;
    });
  const writable = ["lower-id 100600", "upper 40755", "work 40700"];

  test("an image layer is a whole tree, with its root's mode as the archive has it", async () => {
    const base = await bench.layer(undefined, [directory("", { mode: 0o1751 }), file("f")]);
    const top = await bench.layer(base, [file("g")]);
    expect(fs.statSync(join(home, base)).mode).toBe(0o040710);
    expect(listed(base)).toEqual(["root 41751"]);
    expect(listed(top), "and ours: what it was made upon").toEqual(["parent 100600", "root 41751"]);
    expect(read(top, "parent")).toBe(base);
    expect(listed(top, "root")).toEqual(["f 100644", "g 100644"]);
    expect(await bench.driver.metadata(top)).toEqual({ RootDir: join(home, top, "root") });
    await bench.within(top, (path) => expect(path).toBe(join(home, top, "root")));
  });

  test("an init layer and a container lie on one tree, and the container begins with what init has", async () => {
    const image = await bench.layer(await bench.layer(undefined, [directory("", { mode: 0o751 })]), [file("f")]);
    const [init, container] = containerIDs();
    await bench.driver.create(init, image);
    await bench.within(init, (path) => {
      fs.writeFileSync(join(path, ".dockerenv"), "", { mode: 0o755 });
      fs.unlinkSync(join(path, "f"));
    });
    await bench.driver.create(container, init);
    for (const id of [init, container]) {
      expect(listed(id)).toEqual(["lower-id 100600", "upper 40751", "work 40700"]);
      expect(read(id, "lower-id")).toBe(image);
      expect(listed(id, "upper")).toEqual([".dockerenv 100755", "f 20000"]);
    }
    expect(inode(container, "upper/.dockerenv")).not.toBe(inode(init, "upper/.dockerenv"));
    const at = (name: string) => join(home, container, name);
    const dirs = { UpperDir: at("upper"), WorkDir: at("work"), MergedDir: at("merged") };
    expect(await bench.driver.metadata(container)).toEqual({ LowerDir: join(home, image, "root"), ...dirs });
    expect(await bench.changes(container)).toEqual([]);
    await bench.within(container, (path) => {
      const line = mountLine(path);
      expect(line).toContain(`lowerdir=${home}/${image}/root,upperdir=${at("upper")},workdir=${at("work")}`);
      expect(listed(container)).toContain("merged 40751");
      fs.unlinkSync(join(path, ".dockerenv"));
    });
    expect(listed(container)).not.toContain("merged");
    expect(await bench.changes(container)).toEqual(["D /.dockerenv"]);
  });

  test("what a layer leaves as it is has the inode of the layer below; what it changes, and what is no file, has not", async () => {
    const special = [directory("d"), symlink("s", "f"), fifo("p")];
    const base = await bench.layer(undefined, [...special, file("d/same"), file("f"), file("g"), hardlink("h", "g")]);
    const [one, other] = [await bench.layer(base, [file("f", "new")]), await bench.layer(base, [])];
    const isShared = (id: CacheID, name: string) => inode(id, "root", name) === inode(base, "root", name);
    for (const name of ["d/same", "g", "h"]) expect(isShared(one, name), name).toBe(true);
    for (const name of ["d", "s", "p", "f"]) expect(isShared(one, name), name).toBe(false);
    expect(fs.statSync(join(home, base, "root/g")).nlink, "two names in three trees").toBe(6);
    expect(isShared(other, "f"), "beside it all is as before").toBe(true);
    await bench.driver.remove(base);
    expect(read(other, "root/f")).toBe("f");
  });

  test("nothing that a layer holds reaches the files of the layers below, neither content nor metadata", async () => {
    const bottom = [
      ...["d", "e", "e/x"].map((path) => directory(path)),
      ...["d/x", "f", "g", "twin", "w"].map((path) => file(path, path, { xattrs: { "user.a": "b" } })),
      hardlink("twin2", "twin", { xattrs: { "user.a": "b" } }),
      symlink("to", "e"),
      symlink("sym", "f"),
    ];
    const base = await bench.layer(undefined, bottom);
    const before = snapshot(join(home, base, "root"), { times: true });
    const other = { mode: 0o4711, uid: 7, gid: 8, mtimeNs: 5n, xattrs: { "user.b": "c" } };
    const top = await bench.layer(base, [
      file("f", "written", other),
      hardlink("link", "g", other),
      hardlink("link2", "g", other),
      hardlink("through", "to/../g", other),
      hardlink("twin", "twin2", other),
      hardlink("sym2", "sym", { mode: 0o777, uid: 9 }),
      // A directory by way of a link, which leads to a file when its time is set.
      directory("to/x", { mode: 0o700, mtimeNs: 1n }),
      symlink("to", "d"),
      file("own"),
      hardlink("own2", "own", other),
    ]);
    expect(snapshot(join(home, base, "root"), { times: true })).toEqual(before);
    const lines = await bench.tree(top);
    expect(lines.filter((line) => line.includes(" 7:8"))).toEqual([
      '"f" file "written" 4711 7:8 user.b=63',
      '"g" file "g" 4711 7:8 user.a=62 user.b=63',
      '"link" file "g" 4711 7:8 user.a=62 user.b=63 = g',
      '"link2" file "g" 4711 7:8 user.a=62 user.b=63 = g',
      '"own" file "own" 4711 7:8 user.b=63',
      '"own2" file "own" 4711 7:8 user.b=63 = own',
      '"through" file "g" 4711 7:8 user.a=62 user.b=63 = g',
      '"twin" file "twin" 4711 7:8 user.a=62 user.b=63',
      '"twin2" file "twin" 4711 7:8 user.a=62 user.b=63 = twin',
    ]);
  });

  describe("mounted by somebody with other options", () => {
    /** An image layer, and a container upon it, mounted by hand with `options` and left to `work`. */
    async function byHand(options: string, work: (path: string) => void): Promise<[image: string, container: string]> {
      const image = await bench.layer(undefined, [directory("d"), file("d/f", "content")]);
      const container = await bench.create(image);
      const at = (name: string) => join(home, container, name);
      fs.mkdirSync(at("merged"));
      const layers = `lowerdir=${join(home, image, "root")},upperdir=${at("upper")},workdir=${at("work")}`;
      await output("mount", ["-t", "overlay", "-o", `${layers},${options}`, "overlay", at("merged")]);
      try {
        work(at("merged"));
      } finally {
        await output("umount", [at("merged")]);
      }
      return [image, container];
    }

    test("a directory that the kernel has renamed by a redirect is seen under its new name", async () => {
      const rename = (path: string) => fs.renameSync(join(path, "d"), join(path, "e"));
      const [image, container] = await byHand("redirect_dir=on", rename);
      expect(await bench.changes(container)).toEqual(["D /d", "A /e", "A /e/f"]);
      const again = await bench.layer(image, await bench.diff(container));
      expect(await bench.tree(again)).toEqual(['"e" dir 755 0:0', '"e/f" file "content" 644 0:0']);
    });

    test("a file whose content is still below is not taken for one of zeros", async () => {
      const [, container] = await byHand("metacopy=on", (path) => fs.chmodSync(join(path, "d/f"), 0o600));
      await expect(bench.diff(container)).rejects.toThrow(/"d\/f": .*metacopy/);
    });
  });

  test("a tree that does not fit on the disk ends in one line, and leaves the layer to be removed", async () => {
    await using place = await scratch();
    await output("mount", ["-t", "tmpfs", "-o", "nr_inodes=100", "none", place.path]);
    try {
      const driver = await Overlay.open(place.path);
      const small = Object.assign(Object.create(bench) as Bench, { driver });
      const base = await Bench.prototype.layer.call(
        small,
        undefined,
        Array.from({ length: 60 }, (_, i) => directory(`d${i}`)),
      );
      const id = randomID();
      await driver.create(id, base);
      await expect(driver.fill(id)).rejects.toThrow(/^cannot link [^\n]*ENOSPC[^\n]*$/);
      const dir = join(place.path, "overlay", id);
      expect(fs.readdirSync(dir)).toEqual(["lower-id", "upper", "work"]);
      await driver.remove(id);
      expect(await driver.list()).toEqual([base]);
      await driver.close();
    } finally {
      await output("umount", ["-l", place.path]);
    }
  });

  test("a layer that was half filled when the process ended is there, and can be removed", async () => {
    const base = await bench.layer(undefined, [file("f")]);
    const id = await bench.create(base);
    fs.cpSync(join(home, base, "root"), join(home, id, "tmproot"), { recursive: true });
    const next = await Overlay.open(bench.dataRoot);
    expect(await next.list()).toContain(id);
    await expect(next.fill(id)).rejects.toThrow("has content already");
    await next.remove(id);
    expect(fs.existsSync(join(home, id))).toBe(false);
  });

  test("a damaged layer is told in one line", async () => {
    const id = await bench.create(await bench.create());
    fs.rmSync(join(home, id, "lower-id"));
    await expect(bench.driver.mount(id)).rejects.toMatchObject({ code: "data-loss" });
    fs.writeFileSync(join(home, id, "lower-id"), "../../etc", { mode: 0o600 });
    await expect(bench.driver.metadata(id)).rejects.toThrow("invalid layer id");
    fs.writeFileSync(join(home, id, "lower-id"), randomID());
    await expect(bench.driver.mount(id)).rejects.toThrow(/error creating overlay mount to .*merged: ENOENT/);
    expect(listed(id)).toEqual(writable);
  });

  test("storage options are refused in Docker's words", async () => {
    await expect(bench.create(undefined, { storage: { size: "1G" } })).rejects.toThrow(
      "--storage-opt is not supported for overlay",
    );
    await expect(Overlay.open(bench.dataRoot, { storageOptions: ["Overlay.x=1"] })).rejects.toThrow(
      "overlay: unknown option overlay.x",
    );
  });

  test("opened to be read only, nothing is made or mounted; image layers can be read", async () => {
    const base = await bench.layer(undefined, [file("f")]);
    const image = await bench.layer(base, [file("g")]);
    const container = await bench.create(image);
    await bench.within(container, (path) => fs.renameSync(join(path, "f"), join(path, "h")));
    const reader = await Overlay.open(bench.dataRoot, { readOnly: true });
    expect(await reader.diffSize(image)).toBe(1);
    const changes = [];
    for await (const change of reader.changes(container)) changes.push(change);
    expect(changes).toEqual([
      { kind: "deleted", path: "/f" },
      { kind: "added", path: "/h" },
    ]);
    await expect(reader.create(randomID())).rejects.toMatchObject({ code: "forbidden" });
    await expect(reader.mount(container)).rejects.toMatchObject({ code: "forbidden" });
    await expect(reader.remove(image)).rejects.toMatchObject({ code: "forbidden" });
    await reader.close();
  });

  function containerIDs(): [init: CacheID, container: CacheID] {
    const id = randomID();
    return [`${id}-init` as CacheID, id];
  }

  function mountLine(path: string): string | undefined {
    const lines = fs.readFileSync("/proc/self/mounts", "utf8").split("\n");
    return lines.find((line) => line.split(" ")[1] === path);
  }
});

test.skipIf(lacking("mounts", "loop", "mkfs.ext4"))(
  "a file that has all the names there may be is copied, once",
  async () => {
    await using disk = await loopDisk("ext4", "64M");
    const at = (...path: string[]) => join(disk.path, ...path);
    for (const name of ["from", "to", "names"]) fs.mkdirSync(at(name));
    fs.writeFileSync(at("from/a"), "content", { mode: 0o640 });
    fs.utimesSync(at("from/a"), 1, 1);
    fs.linkSync(at("from/a"), at("from/b"));
    for (let names = 3; names <= 65_000; names++) fs.linkSync(at("from/a"), at("names", String(names)));
    linkTree({ from: at("from"), to: at("to") });
    const [a, b] = ["a", "b"].map((name) => fs.statSync(at("to", name)));
    expect(snapshot(at("to"), { times: true })).toEqual(snapshot(at("from"), { times: true }));
    expect([a!.nlink, b!.ino]).toEqual([2, a!.ino]);
  },
);
