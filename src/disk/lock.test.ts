import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { holderOfLock, Locked, lockExclusive } from "./index.js";

const root = fs.mkdtempSync(join(tmpdir(), "lock-"));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

/** A process that has locked `file`. */
async function owner(file: string): Promise<ChildProcess> {
  const script = `const { lockExclusive } = await import(${JSON.stringify(new URL("./index.js", import.meta.url).href)});
    globalThis.lock = await lockExclusive(${JSON.stringify(file)});
    console.log("locked");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

test("the holder is named, and a killed one holds nothing", async () => {
  const file = join(root, "owner");
  const child = await owner(file);
  expect(await holderOfLock(file)).toEqual({ pid: child.pid });
  const refused = await lockExclusive(file).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(Locked);
  expect(String(refused)).toContain(`${file} is locked by process ${child.pid}`);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(await holderOfLock(file)).toBeUndefined();
  await using _lock = await lockExclusive(file);
});

test("one process cannot take it twice; disposed, it is free", async () => {
  const file = join(root, "twice");
  {
    await using _lock = await lockExclusive(file);
    await expect(lockExclusive(file)).rejects.toMatchObject({ code: "unavailable", holder: { pid: process.pid } });
  }
  await using _again = await lockExclusive(file);
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
});

test("a file that nobody locks, or that is not there, has no holder", async () => {
  const file = join(root, "free");
  expect(await holderOfLock(file)).toBeUndefined();
  expect(fs.existsSync(file)).toBe(false);
  fs.writeFileSync(file, "");
  expect(await holderOfLock(file)).toBeUndefined();
});

test("asking does not take the lock away from the holder", async () => {
  const file = join(root, "asked");
  await using _lock = await lockExclusive(file);
  for (let i = 0; i < 3; i++) expect(await holderOfLock(file)).toEqual({ pid: process.pid });
  await expect(lockExclusive(file)).rejects.toThrow("locked");
});
