import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SyncChange } from "../../overlayfs/index.js";
import { AT_FDCWD, lsetxattr, mknodat, S } from "../../sys/index.js";
import { openBelow } from "../suite/open-below.js";
import { paced } from "./paced.js";
import { readTree } from "./read-tree.js";

const root = fs.mkdtempSync(join(tmpdir(), "layerkit-walk-"));
const at = (path: string) => join(root, path);
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));
beforeAll(() => {
  fs.mkdirSync(at("dir/inner"), { recursive: true });
  fs.writeFileSync(at("dir/file"), "content");
  fs.linkSync(at("dir/file"), at("dir/inner/again"));
  fs.writeFileSync(at("dir-file"), "");
  fs.symlinkSync("dir", at("link"));
  fs.symlinkSync("/dir/inner", at("absolute"));
  fs.symlinkSync("../../../../../etc", at("up"));
});

const shown = (changes: Iterable<SyncChange>) => Array.from(changes, ({ kind, path }) => `${kind} ${path}`);

describe("readTree", () => {
  test("goes by bytes within a directory, a directory before what is in it", () => {
    expect(shown(readTree(root))).toEqual([
      "symlink absolute",
      "directory dir",
      "file dir/file",
      "directory dir/inner",
      "hardlink dir/inner/again",
      "file dir-file",
      "symlink link",
      "symlink up",
    ]);
  });

  test("names are those of the place it begins at, or as it is to be called", () => {
    expect(shown(readTree(root, { base: "dir" }))).toEqual(["file file", "directory inner", "hardlink inner/again"]);
    const renamed = [...readTree(root, { base: "dir", as: "copy", rootEntry: true })];
    expect(shown(renamed)).toEqual([
      "directory copy",
      "file copy/file",
      "directory copy/inner",
      "hardlink copy/inner/again",
    ]);
    expect(renamed[3]).toMatchObject({ to: "copy/file" });
    expect(shown(readTree(root, { rootEntry: true }))[0]).toBe("directory ");
  });

  test("beginning at what is no directory, that is all", () => {
    expect(shown(readTree(root, { base: "dir/file", as: "f" }))).toEqual(["file f"]);
    expect(shown(readTree(root, { base: "link", as: "l" }))).toEqual(["symlink l"]);
  });

  test("links on the way are followed inside, as if the directory were the root", () => {
    expect(shown(readTree(root, { base: "link/file", as: "f" }))).toEqual(["file f"]);
    expect(shown(readTree(root, { base: "absolute/again", as: "f" }))).toEqual(["file f"]);
    expect(() => shown(readTree(root, { base: "up/passwd", as: "p" }))).toThrow("ENOENT");
    expect(() => shown(readTree(root, { base: "nowhere" }))).toThrow("ENOENT");
  });

  test("content is read when it is, exactly the size, and not after the next change", () => {
    const walk = readTree(root, { base: "dir" });
    const first = walk.next().value;
    if (first?.kind !== "file") throw new Error("a file comes first");
    fs.appendFileSync(at("dir/file"), ", more meanwhile");
    expect(Buffer.concat([...first.body]).toString()).toBe("content");
    walk.next();
    expect(() => [...first.body]).toThrow("read after the next change");
    walk.return();
    fs.truncateSync(at("dir/file"), 7);
  });

  test("left early, it has nothing open any more", () => {
    for (const change of readTree(root)) {
      if (change.path === "dir/inner") break;
    }
    for (const change of readTree(root)) {
      if (change.kind !== "file") continue;
      for (const _ of change.body) break;
    }
    expect(() => shown(readTree(root, { base: "nowhere" }))).toThrow();
    expect(openBelow(root)).toBe(0);
  });

  test("sockets are left out and told of", () => {
    mknodat(AT_FDCWD, at("dir/socket"), S.IFSOCK | 0o600);
    const skipped: string[] = [];
    const all = shown(readTree(root, { onSkip: (path, why) => skipped.push(`${path}: ${why}`) }));
    expect(all).not.toContain("socket dir/socket");
    expect(skipped).toEqual(["dir/socket: a socket, which no archive can hold"]);
    fs.rmSync(at("dir/socket"));
  });

  test("xattrs are those asked for, overlayfs's own never", () => {
    for (const name of ["user.a", "user.overlay.opaque"]) lsetxattr(at("dir-file"), name, Buffer.from("1"));
    const names = (xattrs: "all" | "capability" | "none") =>
      [...readTree(root, { xattrs })].find(({ path }) => path === "dir-file")?.meta?.xattrs.keys();
    expect([...(names("all") ?? [])]).toEqual(["user.a"]);
    expect([...(names("capability") ?? [])]).toEqual([]);
    expect([...(names("none") ?? [])]).toEqual([]);
  });

  test("what is as deep as a path can be is walked", () => {
    const depth = 1000;
    const old = process.cwd();
    fs.mkdirSync(at("deep"));
    // Beyond PATH_MAX only step by step.
    try {
      process.chdir(at("deep"));
      for (let i = 0; i < depth; i++) {
        fs.mkdirSync("ddd");
        process.chdir("ddd");
      }
    } catch (error) {
      if (!String(error).includes("ERR_WORKER_UNSUPPORTED_OPERATION")) throw error;
    } finally {
      process.chdir(old);
    }
    expect(shown(readTree(root, { base: "deep" }))).toHaveLength(depth);
    fs.rmSync(at("deep"), { recursive: true });
  });
});

test("a long walk, paced, lets others run in between", async () => {
  let others = 0;
  let done = false;
  const busy = function* () {
    for (let i = 0; i < 40; i++) {
      for (const end = performance.now() + 1; performance.now() < end; );
      yield i;
    }
  };
  const counting = (async () => {
    for (; !done; others++) await setImmediate();
  })();
  const seen: number[] = [];
  for await (const i of paced(busy())) seen.push(i);
  done = true;
  await counting;
  expect(seen).toEqual(Array.from({ length: 40 }, (_, i) => i));
  expect(others).toBeGreaterThan(3);
});
