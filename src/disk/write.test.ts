import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ensureDirectory, naming, sweepTemporary, syncFileSystem, WriteSet, writeAtomic } from "./index.js";

const root = fs.mkdtempSync(join(tmpdir(), "disk-"));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));
let count = 0;
function fresh(): string {
  const dir = join(root, String(count++));
  fs.mkdirSync(dir);
  return dir;
}
const modeOf = (path: string) => fs.statSync(path).mode & 0o7777;
const here = JSON.stringify(new URL("./index.js", import.meta.url).href);

/** Runs `script` in a process of its own, which prints when it is to be killed at any moment. */
async function killedWhile(script: string, afterMs: number): Promise<void> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  setTimeout(() => child.kill("SIGKILL"), afterMs);
  await once(child, "exit");
}

describe("writeAtomic", () => {
  test("makes the file with its mode whatever the umask, and replaces it", async () => {
    const file = join(fresh(), "repositories.json");
    await writeAtomic(file, "old", { mode: 0o666 });
    expect(modeOf(file)).toBe(0o666);
    await writeAtomic(file, Buffer.from("new"), { mode: 0o600 });
    expect([fs.readFileSync(file, "utf8"), modeOf(file)]).toEqual(["new", 0o600]);
  });

  test.skipIf(!fs.existsSync("/dev/full"))("a failed write says of which file", async () => {
    const full = await open("/dev/full", "w");
    const writing = naming("/data/repositories.json", () => full.writeFile("x"));
    await expect(writing).rejects.toThrow("ENOSPC: no space left on device, write '/data/repositories.json'");
    await full.close();
  });

  test("a failed write leaves the old content and nothing else", async () => {
    const dir = fresh();
    fs.mkdirSync(join(dir, "taken"));
    fs.writeFileSync(join(dir, "taken", "x"), "");
    await expect(writeAtomic(join(dir, "taken"), "x")).rejects.toThrow("EISDIR");
    expect(fs.readdirSync(dir)).toEqual(["taken"]);
  });

  test("killed at any moment, a reader finds one whole content, and the sweep finds the rest", async () => {
    const dir = fresh();
    const file = join(dir, "f");
    await writeAtomic(file, "a".repeat(300_000));
    const script = `import { writeAtomic } from ${here};
      console.log("go");
      for (let i = 0; ; i++) await writeAtomic(${JSON.stringify(file)}, String(i % 10).repeat(300_000));`;
    for (let round = 0; round < 6; round++) {
      await killedWhile(script, round * 7);
      expect(fs.readFileSync(file, "utf8")).toMatch(/^(.)\1{299999}$/);
    }
    await sweepTemporary(dir);
    expect(fs.readdirSync(dir)).toEqual(["f"]);
  });
});

describe("sweepTemporary", () => {
  test("deletes what an atomic write calls its files, nothing else", async () => {
    const dir = fresh();
    for (const name of [".tmp-f123", ".tmp-repositories.json9", ".tmp-", ".tmp-f", "x.tmp-f1"])
      fs.writeFileSync(join(dir, name), "");
    fs.mkdirSync(join(dir, ".tmp-d1"));
    expect((await sweepTemporary(dir)).sort()).toEqual([".tmp-f123", ".tmp-repositories.json9"]);
    expect(fs.readdirSync(dir).sort()).toEqual([".tmp-", ".tmp-d1", ".tmp-f", "x.tmp-f1"]);
    expect(await sweepTemporary(join(dir, "missing"))).toEqual([]);
  });
});

describe("WriteSet", () => {
  test("appears under its name at commit, 0700, with all of its files", async () => {
    const dir = fresh();
    await using set = await WriteSet.open(dir);
    expect([fs.readdirSync(dir)[0], modeOf(set.path)]).toEqual([expect.stringMatching(/^write-set-\d+$/), 0o700]);
    await set.write("diff", "sha256:…");
    const stream = await set.create("tar-split", 0o600);
    await stream.write(Buffer.from("part 1, "));
    await stream.write(Buffer.from("part 2"));
    fs.writeFileSync(join(set.path, "other"), "written by another");
    await set.commit(join(dir, "layer"));
    expect(fs.readdirSync(dir)).toEqual(["layer"]);
    expect(fs.readdirSync(join(dir, "layer"))).toEqual(["diff", "other", "tar-split"]);
    expect(fs.readFileSync(join(dir, "layer", "tar-split"), "utf8")).toBe("part 1, part 2");
    expect([modeOf(join(dir, "layer")), modeOf(join(dir, "layer", "diff"))]).toEqual([0o700, 0o644]);
  });

  test("is called as asked for in the meantime, and has the mode asked for in the end", async () => {
    const dir = fresh();
    await using set = await WriteSet.open(dir, "abc");
    expect(fs.readdirSync(dir)).toEqual(["write-set-abc"]);
    await set.commit(join(dir, "layer"), { mode: 0o755, synced: true });
    expect(modeOf(join(dir, "layer"))).toBe(0o755);
  });

  test("disposed without commit, it is gone", async () => {
    const dir = fresh();
    {
      await using set = await WriteSet.open(dir);
      await set.write("a", "");
      await set.create("b");
      expect(fs.readdirSync(dir)).toHaveLength(1);
    }
    expect(fs.readdirSync(dir)).toEqual([]);
  });

  test("does not replace what is there", async () => {
    const dir = fresh();
    fs.mkdirSync(join(dir, "layer"));
    fs.writeFileSync(join(dir, "layer", "diff"), "first");
    {
      await using set = await WriteSet.open(dir);
      await set.write("diff", "second");
      await expect(set.commit(join(dir, "layer"))).rejects.toMatchObject({ code: "already-exists" });
    }
    expect(fs.readdirSync(dir)).toEqual(["layer"]);
    expect(fs.readFileSync(join(dir, "layer", "diff"), "utf8")).toBe("first");
  });

  test("killed at any moment, every set with a name is whole", async () => {
    const dir = fresh();
    const script = `import { WriteSet } from ${here};
      for (let i = 0; ; i++) {
        const set = await WriteSet.open(${JSON.stringify(dir)});
        for (const name of ["a", "b", "c"]) await set.write(name, name.repeat(10_000));
        await set.commit(${JSON.stringify(dir)} + "/set" + process.pid + "-" + i);
        if (i === 0) console.log("go");
      }`;
    for (let round = 0; round < 4; round++) await killedWhile(script, 5 + round * 9);
    const named = fs.readdirSync(dir).filter((name) => name.startsWith("set"));
    expect(named.length).toBeGreaterThan(3);
    for (const name of named)
      for (const file of ["a", "b", "c"]) expect(fs.statSync(join(dir, name, file)).size).toBe(10_000);
  });
});

describe("ensureDirectory", () => {
  test("ends where the file system itself refuses", async () => {
    await expect(ensureDirectory("/proc/layerkit/deeper", 0o700)).rejects.toThrow("ENOENT");
  });

  test("makes what is missing and corrects the mode of what is there", async () => {
    const path = join(fresh(), "image", "overlay2");
    await ensureDirectory(path, 0o711);
    expect([modeOf(path), modeOf(join(path, ".."))]).toEqual([0o711, 0o711]);
    fs.chmodSync(path, 0o755);
    await ensureDirectory(path, 0o710);
    expect(modeOf(path)).toBe(0o710);
  });

  test("a file in its place is an error", async () => {
    const path = join(fresh(), "f");
    fs.writeFileSync(path, "");
    await expect(ensureDirectory(path, 0o700)).rejects.toThrow("EEXIST");
  });
});

test("syncFileSystem resolves for a directory and fails for none", async () => {
  await syncFileSystem(root);
  await expect(syncFileSystem(join(root, "missing"))).rejects.toThrow("ENOENT");
});
