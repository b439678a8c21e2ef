import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lacking } from "../../../test/oracle/programs.js";
import { loopDisk, scratch } from "../../../test/oracle/scratch.js";
import { randomID } from "../../spec/index.js";
import { copyTree } from "../copy/copy-tree.js";
import { Bench, writeWhole } from "../suite/bench.js";
import { device, directory, fifo, file, hardlink, symlink, whiteout } from "../suite/changes.js";
import { seededBytes } from "../suite/seeded.js";
import { snapshot } from "../suite/snapshot.js";
import { describeDriver } from "../suite.js";
import { openWriter } from "../write/open-writer.js";
import { Vfs } from "./vfs.js";

describe.skipIf(lacking("root"))("the contract", () => {
  describeDriver("vfs", Vfs.open, {
    "a new name for a file below is a hard link in the layer's diff":
      "trees are compared name by name, and the old name has not changed: as in Docker, the new one is a file",
    attaching: "a layer begins as a copy of the one below it",
  });
});

test("each layer is a whole tree in Docker's place, and goes without a trace", async () => {
  await using bench = await Bench.open(Vfs.open);
  const base = await bench.layer(undefined, [file("a")]);
  const top = await bench.layer(base, [file("b"), whiteout("a")]);
  const at = (...path: string[]) => join(bench.dataRoot, "vfs", ...path);
  expect(fs.readdirSync(at("dir")).sort()).toEqual([base, top].sort());
  expect(fs.readdirSync(at("dir", top))).toEqual(["b"]);
  expect(fs.statSync(at("dir", top)).mode).toBe(0o040755);
  for (const id of [top, base]) await bench.driver.remove(id);
  expect(fs.readdirSync(at(), { recursive: true }).sort()).toEqual(["dir", "parent"]);
});

test("a container that Docker made has its init layer below it", async () => {
  await using bench = await Bench.open(Vfs.open);
  const [id, dirs] = [randomID(), join(bench.dataRoot, "vfs/dir")];
  for (const [name, files] of [
    [`${id}-init`, ["a", "b"]],
    [id, ["a", "new"]],
  ] as const) {
    fs.mkdirSync(join(dirs, name));
    for (const each of files) {
      fs.writeFileSync(join(dirs, name, each), "");
      fs.utimesSync(join(dirs, name, each), 1, 1);
    }
  }
  expect(await bench.changes(id)).toEqual(["D /b", "A /new"]);
});

test("storage options are refused", async () => {
  await using bench = await Bench.open(Vfs.open);
  await expect(bench.create(undefined, { storage: { size: "1G" } })).rejects.toThrow("not supported for vfs");
  await expect(Vfs.open(bench.dataRoot, { storageOptions: ["vfs.size=1"] })).rejects.toThrow("vfs: unknown option");
});

describe.skipIf(lacking("root"))("copying a tree", () => {
  const everything = [
    ...Array.from({ length: 3 }, (_, i) => [
      directory(`${"d/".repeat(i)}d`),
      file(`${"d/".repeat(i)}d/f`, seededBytes(9000, i)),
    ]).flat(),
    device("char", "char", 5, 1),
    fifo("fifo"),
    file("setuid", "x", { mode: 0o4711, uid: 3, gid: 4, xattrs: { "user.a": "b", "trusted.c": "d" } }),
    hardlink("setuid-too", "setuid", { mode: 0o4711, uid: 3, gid: 4 }),
    symlink("link", "/nowhere", { mode: 0o777, uid: 9 }),
    file("\udcff\udcfe", "not UTF-8"),
  ];

  const fill = (root: string) => {
    fs.mkdirSync(root);
    const none = { base: "", whiteouts: "none", xattrPrefix: "trusted.overlay.", impliedMode: 0o755 } as const;
    const writer = openWriter({ ...none, root, rootMeta: false, lenient: false });
    for (const change of everything) writeWhole(writer, change);
    writer.finish();
    writer[Symbol.dispose]();
  };

  const assertCopied = (from: string, to: string) => {
    fill(from);
    fs.chmodSync(from, 0o1751);
    fs.mkdirSync(to);
    copyTree({ from, to });
    expect(snapshot(to, { times: true })).toEqual(snapshot(from, { times: true }));
    const seen = (path: string) => {
      const { mode, mtimeNs } = fs.statSync(path, { bigint: true });
      return [mode, mtimeNs];
    };
    for (const path of ["", "d", "d/d"]) expect(seen(join(to, path))).toEqual(seen(join(from, path)));
    expect(fs.statSync(join(to, "setuid")).ino).not.toBe(fs.statSync(join(from, "setuid")).ino);
  };

  test("owners, modes, times, xattrs, devices and hard links are kept, inodes are new", async () => {
    await using root = await scratch();
    assertCopied(join(root.path, "from"), join(root.path, "to"));
  });

  test.skipIf(lacking("mounts", "loop", "mkfs.xfs"))("content is shared where the file system can", async () => {
    await using disk = await loopDisk("xfs", "320M", ["-m", "reflink=1"]);
    const [from, to] = [join(disk.path, "from"), join(disk.path, "to")];
    assertCopied(from, to);
    fs.writeFileSync(join(from, "large"), Buffer.alloc(150 << 20));
    const before = fs.statfsSync(disk.path).bfree;
    fs.mkdirSync(join(disk.path, "again"));
    copyTree({ from, to: join(disk.path, "again") });
    expect(before - fs.statfsSync(disk.path).bfree).toBeLessThan((20 << 20) / 4096);
    expect(fs.statSync(join(disk.path, "again/large")).size).toBe(150 << 20);
  });
});
