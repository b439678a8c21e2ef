import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lacking } from "../../../test/oracle/programs.js";
import { run } from "../../../test/oracle/run.js";
import { type Scratch, scratch } from "../../../test/oracle/scratch.js";
import { decodeName, encodeName } from "../../spec/index.js";
import { listKept, purgeQuarantine, putBack, Quarantine, quarantineName } from "./quarantine.js";

let root: Scratch;
let path: (name: string) => string;
beforeEach(async () => {
  root = await scratch();
  path = (name) => join(root.path, name);
  fs.mkdirSync(path("a/b"), { recursive: true });
  fs.writeFileSync(path("a/b/file"), "one");
});
afterEach(() => root[Symbol.asyncDispose]());

describe("the quarantine", () => {
  test("keeps what it takes under its path, and says why and when", () => {
    const quarantine = new Quarantine(root.path);
    quarantine.take(path("a/b"), "nobody needs it");
    expect(fs.existsSync(path("a/b"))).toBe(false);
    expect(fs.readFileSync(join(quarantine.path, "a/b/file"), "utf8")).toBe("one");
    expect(listKept(root.path)).toMatchObject([
      { path: "a/b", why: "nobody needs it", at: join(quarantine.path, "a/b") },
    ]);
    expect(Date.parse(listKept(root.path)[0]!.when)).toBeGreaterThan(Date.now() - 60_000);
    expect(quarantine.count).toBe(1);
  });

  test("keeps two things of one path apart, and puts the last one back first", async () => {
    const quarantine = new Quarantine(root.path);
    quarantine.link(path("a/b/file"), "replaced");
    fs.rmSync(path("a/b/file"));
    fs.writeFileSync(path("a/b/file"), "two");
    quarantine.take(path("a/b/file"), "replaced again");
    await putBack(root.path, path("a/b/file"));
    expect(fs.readFileSync(path("a/b/file"), "utf8")).toBe("two");
    await expect(putBack(root.path, "a/b/file")).rejects.toThrow(/there is something at .*\/a\/b\/file/);
    fs.rmSync(path("a"), { recursive: true });
    await putBack(root.path, "a/b/file");
    expect(fs.readFileSync(path("a/b/file"), "utf8")).toBe("one");
    await expect(putBack(root.path, "a/b/file")).rejects.toThrow(/^no repair of .* has kept a\/b\/file$/);
  });

  test("takes names that are not UTF-8", async () => {
    const name = decodeName(Buffer.from([0x66, 0xff]));
    fs.writeFileSync(encodeName(path(name)), "");
    new Quarantine(root.path).take(path(name), "strange");
    expect(fs.readdirSync(root.path).sort()).toEqual(["a", quarantineName]);
    await putBack(root.path, name);
    expect(fs.existsSync(encodeName(path(name)))).toBe(true);
  });

  test("takes nothing from elsewhere, nor itself", () => {
    const quarantine = new Quarantine(root.path);
    for (const odd of [root.path, "/etc/hostname", path(quarantineName)]) {
      expect(() => quarantine.take(odd, "")).toThrow(/is not to be removed/);
    }
  });

  test("is gone when it is purged; half a line in a manifest is no reason to fail", async () => {
    const quarantine = new Quarantine(root.path);
    quarantine.take(path("a/b/file"), "nobody needs it");
    fs.appendFileSync(join(quarantine.path, "manifest.jsonl"), '{"path":"a/b');
    expect(await purgeQuarantine(root.path)).toBe(1);
    expect(fs.readdirSync(root.path)).toEqual(["a"]);
    await expect(purgeQuarantine(root.path)).rejects.toThrow(/^no repair of .* has kept anything$/);
  });

  test.skipIf(lacking("root", "mounts"))("unmounts what is mounted in what it takes", async () => {
    await run("mount", ["-t", "tmpfs", "none", path("a/b")]);
    fs.writeFileSync(path("a/b/on-tmpfs"), "");
    const quarantine = new Quarantine(root.path);
    quarantine.take(path("a"), "nobody needs it");
    expect(fs.readdirSync(join(quarantine.path, "a/b"))).toEqual(["file"]);
  });
});
