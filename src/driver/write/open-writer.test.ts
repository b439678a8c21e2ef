import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterAll, describe, expect, test } from "vitest";
import { lacking } from "../../../test/oracle/programs.js";
import { LayerkitError } from "../../spec/index.js";
import type { WriteTarget } from "../driver.js";
import { writeWhole } from "../suite/bench.js";
import { directory, fifo, file, hardlink, opaque, symlink, type WholeChange, whiteout } from "../suite/changes.js";
import { openBelow } from "../suite/open-below.js";
import { snapshot } from "../suite/snapshot.js";
import { inJail } from "./directories.js";
import { openWriter } from "./open-writer.js";

const scratch = fs.mkdtempSync(join(tmpdir(), "layerkit-writer-"));
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));
let count = 0;

/** A fresh directory; below it one that is the root. */
function fresh(given: Partial<WriteTarget> = {}): WriteTarget {
  const root = join(scratch, String(count++), "root");
  fs.mkdirSync(root, { recursive: true });
  const common = { base: "", whiteouts: "none", xattrPrefix: "trusted.overlay.", impliedMode: 0o755 } as const;
  return { root, ...common, rootMeta: false, lenient: false, ...given };
}

function write(target: WriteTarget, ...changes: readonly WholeChange[]): number {
  const writer = openWriter(target);
  try {
    for (const change of changes) writeWhole(writer, change);
    return writer.finish();
  } finally {
    writer[Symbol.dispose]();
  }
}

describe.skipIf(lacking("root"))("copying into a tree", () => {
  test("paths begin at the base, links on the way to it are followed inside", () => {
    const target = fresh({ base: "srv/www" });
    fs.mkdirSync(join(target.root, "data/sites"), { recursive: true });
    fs.mkdirSync(join(target.root, "srv"));
    fs.symlinkSync("/data/sites", join(target.root, "srv/www"));
    write(target, directory("a"), file("a/f"), hardlink("a/g", "a/f"));
    expect(fs.readFileSync(join(target.root, "data/sites/a/g"), "utf8")).toBe("a/f");
  });

  test("a base that leads out stays inside", () => {
    const target = fresh({ base: "out" });
    fs.symlinkSync(scratch, join(target.root, "out"));
    expect(() => write(target, file("f"))).toThrow(/directory/);
    expect(fs.existsSync(join(scratch, "f"))).toBe(false);
  });

  test("what is there is replaced, a directory is joined", () => {
    const target = fresh();
    write(target, file("f", "old"), directory("d"), file("d/kept"), symlink("s", "f"));
    write(target, file("f", "new"), directory("d", { mode: 0o700 }), file("d/more"), file("s", "no link"));
    expect(snapshot(target.root)).toEqual([
      '"d" dir 700 0:0',
      '"d/kept" file "d/kept" 644 0:0',
      '"d/more" file "d/more" 644 0:0',
      '"f" file "new" 644 0:0',
      '"s" file "no link" 644 0:0',
    ]);
  });

  test("a directory and what is none do not replace each other when that is forbidden", () => {
    const target = fresh({ noOverwriteDirNonDir: true });
    write(target, directory("d"), file("d/f"), file("f"));
    expect(() => write(target, file("d"))).toThrow('cannot overwrite directory "d" with non-directory');
    expect(() => write(target, symlink("d", "x"))).toThrow('cannot overwrite directory "d"');
    expect(() => write(target, directory("f"))).toThrow('cannot overwrite non-directory "f" with directory');
    expect(snapshot(target.root)).toHaveLength(3);
    write(target, file("f", "but a file by a file"));
  });

  test("all gets the owner that is given, directories that nobody names too", () => {
    const target = fresh({ owner: { uid: 77, gid: 88 }, impliedMode: 0o750 });
    write(target, file("a/b/f", "", { uid: 5, gid: 6 }), symlink("a/s", "x"), directory("a/d"));
    const lines = snapshot(target.root);
    expect(lines.every((line) => line.endsWith("77:88"))).toBe(true);
    expect(lines[0]).toBe('"a" dir 750 77:88');
  });

  test("whiteouts are refused: it is no layer", () => {
    expect(() => write(fresh(), whiteout("x"))).toThrow('"x": a whiteout, which only a layer can have');
    expect(() => write(fresh(), directory("d"), opaque("d"))).toThrow('"d": marked opaque');
  });

  test("the root's own entry applies where it is asked for, and not elsewhere", () => {
    for (const rootMeta of [true, false]) {
      const target = fresh({ rootMeta });
      fs.chmodSync(target.root, 0o755);
      write(target, directory("", { mode: 0o700, uid: 3, mtimeNs: 5n }), file("f"));
      const { mode, uid, mtimeMs } = fs.statSync(target.root);
      expect([mode & 0o777, uid, mtimeMs === 0.000_005]).toEqual(rootMeta ? [0o700, 3, true] : [0o755, 0, false]);
    }
  });
});

describe.skipIf(lacking("root"))("the writer", () => {
  test("keeps no descriptor, however it ends and however many directories there were", () => {
    const many = Array.from({ length: 300 }, (_, i) => [directory(`d${i}`), file(`d${i}/f`)]).flat();
    write(fresh(), ...many);
    expect(() => write(fresh(), ...many, file("f/"), file("f/x"))).toThrow();
    const unfinished = openWriter(fresh());
    writeWhole(unfinished, directory("d"));
    unfinished.change(file("d/half"));
    unfinished[Symbol.dispose]();
    expect(openBelow(scratch)).toBe(0);
  });

  test("gives nothing the time of a directory that it has taken the place of", () => {
    const target = fresh();
    write(
      target,
      directory("d", { mode: 0o755, mtimeNs: 5n }),
      symlink("d", "x"),
      directory("e", { mtimeNs: 5n }),
      file("e"),
    );
    expect(fs.lstatSync(join(target.root, "d"), { bigint: true }).mtimeNs).toBe(1_700_000_000_123_456_789n);
    expect(fs.lstatSync(join(target.root, "e"), { bigint: true }).mtimeNs).toBe(1_700_000_000_123_456_789n);
  });

  test("sees what takes the place of a directory that it has open", () => {
    const target = fresh();
    const open = [directory("d"), file("d/1"), symlink("s", "d"), file("s/2")];
    write(target, ...open, directory("e"), file("e/3"), symlink("d", "e"), file("d/4"), file("s/5"));
    expect(snapshot(target.root).filter((line) => line.includes(" file "))).toEqual([
      '"e/3" file "e/3" 644 0:0',
      '"e/4" file "d/4" 644 0:0',
      '"e/5" file "s/5" 644 0:0',
    ]);
  });

  test("gives modes and owners as told where directories hand down others", () => {
    const target = fresh();
    const acl = Buffer.from("02000000" + "01000700ffffffff" + "04000500ffffffff" + "20000000ffffffff", "hex");
    const files = (dir: string) => [0o644, 0o666, 0o644, 0o755].map((mode, i) => file(`${dir}/f${i}`, "x", { mode }));
    fs.mkdirSync(join(target.root, "shared"));
    fs.chownSync(join(target.root, "shared"), 5, 6);
    fs.chmodSync(join(target.root, "shared"), 0o2777);
    write(
      target,
      ...files("shared"),
      directory("d"),
      ...files("d"),
      directory("d", { mode: 0o2755, gid: 7 }),
      ...files("d"),
      directory("d/inner"),
      ...files("d/inner"),
      directory("acl", { mode: 0o755, xattrs: { "system.posix_acl_default": acl } }),
      ...files("acl"),
    );
    const lines = snapshot(target.root).filter((line) => line.includes(" file "));
    expect(lines).toHaveLength(16);
    for (const line of lines) expect(line).toMatch(/f[02]" file "x" 644 0:0|f1" file "x" 666 0:0|f3" file "x" 755 0:0/);
  });

  test("stays inside while somebody there keeps changing directories for links that lead out", async () => {
    const target = fresh();
    const victim = join(target.root, "../victim");
    fs.mkdirSync(join(victim, "inner"), { recursive: true });
    fs.writeFileSync(join(victim, "node"), "");
    for (const [name, to] of [
      ["dir", ".."],
      ["node", "../victim/node"],
      ["inner", "../victim"],
    ] as const) {
      fs.mkdirSync(join(target.root, name));
      fs.symlinkSync(`${to}`, join(target.root, `evil-${name}`));
    }
    const look = () =>
      [victim, join(victim, "inner"), join(victim, "node")].map((at) => {
        const { mode, uid, mtimeMs } = fs.lstatSync(at);
        return [at, mode, uid, mtimeMs];
      });
    const before = look();
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const sys = new URL("../../sys/index.js", import.meta.url).href;
    const worker = new Worker(
      `const { workerData: { root, stop }, parentPort } = require("node:worker_threads");
       import(${JSON.stringify(sys)}).then(({ renameat2, rename, AT_FDCWD }) => {
         parentPort.postMessage("begun");
         while (Atomics.load(stop, 0) === 0) for (const name of ["dir", "node", "inner"]) {
           try { renameat2(AT_FDCWD, root + "/" + name, AT_FDCWD, root + "/evil-" + name, rename.exchange); } catch {}
         }
       });`,
      { eval: true, workerData: { root: target.root, stop } },
    );
    await once(worker, "message");
    const bad = { mode: 0o777, uid: 5, xattrs: { "user.x": "y" } };
    for (let round = 0; round < 400; round++) {
      for (const change of [
        directory("dir", bad),
        file("dir/victim/new", "", bad),
        directory("inner/inner", bad),
        file("inner/new", "", bad),
        fifo("node"),
        hardlink("node", "dir/victim/node", bad),
        symlink("inner/inner/s", "x"),
      ]) {
        try {
          write(target, change);
        } catch (error) {
          expect(error).toBeInstanceOf(LayerkitError);
        }
      }
    }
    Atomics.store(stop, 0, 1);
    await once(worker, "exit");
    expect(look()).toEqual(before);
    expect(fs.readdirSync(victim)).toEqual(["inner", "node"]);
  });

  test("takes the pieces of a file in any size", () => {
    const target = fresh();
    const writer = openWriter(target);
    writer.change(file("f", "0123456789"));
    for (const piece of ["", "0", "123", "", "456789", ""]) writer.data(Buffer.from(piece));
    expect(writer.finish()).toBe(10);
    writer[Symbol.dispose]();
    expect(fs.readFileSync(join(target.root, "f"), "utf8")).toBe("0123456789");
  });

  test.skipIf(lacking("mounts"))("tells a full disk in one line that names the entry", async () => {
    const target = fresh();
    const { mount, umount, MNT } = await import("../../sys/index.js");
    mount("none", target.root, "tmpfs", 0, "size=64k");
    try {
      expect(() => write(target, file("small"), file("large", Buffer.alloc(1 << 20)))).toThrow(
        '"large": no space left on the disk',
      );
    } finally {
      umount(target.root, MNT.DETACH);
    }
  });
});

describe.skipIf(lacking("root"))("a jail", () => {
  /** Runs the writer in a worker that has put itself in jail, and tells what became of it. */
  async function inWorker(target: WriteTarget, changes: readonly WholeChange[]): Promise<unknown> {
    const face = new URL("../index.js", import.meta.url).href;
    const script = `
      const { parentPort, workerData } = require("node:worker_threads");
      import(${JSON.stringify(face)}).then(({ jail, openWriter }) => {
        const outside = process.cwd();
        const { readdirSync, existsSync } = require("node:fs");
        const place = jail(workerData.target);
        const seen = readdirSync("/");
        let failure;
        try {
          const writer = openWriter(place.target);
          for (const change of workerData.changes) {
            writer.change(change);
            if (change.kind === "file") writer.data(change.content);
          }
          writer.finish();
          writer[Symbol.dispose]();
        } catch (error) { failure = error.message; }
        place[Symbol.dispose]();
        parentPort.postMessage({ seen, failure, outAgain: existsSync(outside + "/package.json") });
      });`;
    const worker = new Worker(script, { eval: true, workerData: { target, changes } });
    return new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  }

  test("confines the thread, which writes as elsewhere, and is left again", async () => {
    const target = fresh({ whiteouts: "overlay" });
    fs.writeFileSync(join(target.root, "here"), "");
    const changes = [
      directory("d", { mode: 0o755, xattrs: { "user.x": "1" } }),
      symlink("d/s", "/d", { xattrs: { "trusted.x": "2" } }),
      file("d/s/f"),
    ];
    expect(await inWorker(target, changes)).toEqual({ seen: ["here"], outAgain: true });
    expect(snapshot(target.root)).toEqual([
      '"d" dir 755 0:0 user.x=31',
      '"d/f" file "d/s/f" 644 0:0',
      '"d/s" link /d 777 0:0 trusted.x=32',
      '"here" file "" 644 0:0',
    ]);
    expect(fs.existsSync(join(process.cwd(), "package.json"))).toBe(true);
  });

  test("is not for the main thread", async () => {
    const face = new URL("../index.js", import.meta.url).href;
    const { run } = await import("../../../test/oracle/run.js");
    const code = `const { jail } = await import(${JSON.stringify(face)}); jail({ root: "/" });`;
    const { stderr } = await run(process.execPath, ["--input-type=module", "-e", code]);
    expect(stderr).toContain("a jail is for a worker thread");
  });

  test("walks plain paths on kernels without openat2", () => {
    // Outside of a jail it would be the machine's own root: only its form is looked at here.
    expect(() => inJail(-1, "surely/not/there")).toThrow(/ENOENT.*'\/surely\/not\/there'/);
  });
});
