import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { LayerStore } from "./layer-store.js";
import { collect, drivers, sha256, TestRoot } from "./store.test.tools.js";

const victim = new URL("./kill.test.victim.js", import.meta.url).pathname;

/**
 * Runs the store's operations in a process of its own, and kills it some milliseconds after it has done `lines` steps.
 *
 * @returns what it had said
 */
async function killedAfter(root: TestRoot, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, [victim, root.path, root.driverName], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (text) => {
    said += text;
    if (said.split("\n").length > lines) setTimeout(() => child.kill("SIGKILL"), Math.random() * 12);
  });
  const [status] = await once(child, "close");
  expect(status, "it was to be killed, it ended").toBeNull();
  return said.split("\n").slice(0, -1);
}

/** Chains and names that must be there: what was acknowledged and not taken back after. */
function acknowledged(said: readonly string[]): { readonly there: Set<string>; readonly maybe: Set<string> } {
  const there = new Set<string>();
  const maybe = new Set<string>();
  for (const line of said) {
    const [what, id = ""] = line.split(" ");
    if (what === "has") there.add(id);
    if (what === "drops") maybe.add(id);
    if (what === "drops") there.delete(id);
  }
  return { there, maybe };
}

async function expectWhole(root: TestRoot, store: LayerStore): Promise<void> {
  expect(store.damaged).toEqual([]);
  expect(root.reports.filter((line) => !line.startsWith("removed what an interrupted"))).toEqual([]);
  const named = [...store.list().map(({ cacheID }) => cacheID), ...store.rw.list().map(({ mountID }) => mountID)];
  for (const { initID } of store.rw.list()) named.push(initID!);
  expect((await root.driver.list()).sort()).toEqual(named.sort());
  expect(fs.readdirSync(join(root.layerdb, "tmp"))).toEqual([]);
  expect(fs.readdirSync(join(root.layerdb, "sha256"))).toHaveLength(store.list().length);
  expect(danglingLinks(root)).toEqual([]);
  for (const { chainID, diffID } of store.list()) expect(sha256(await collect(store.tar(chainID)))).toBe(diffID);
  for (const { name } of store.rw.list()) {
    await using mounted = await store.rw.mount(name);
    expect(fs.existsSync(join(mounted.path, "etc/hostname"))).toBe(true);
  }
}

/** Short names of overlay2 that lead nowhere. */
function danglingLinks(root: TestRoot): string[] {
  const dir = join(root.home, "l");
  if (!fs.existsSync(dir)) return [];
  return fs.readdirSync(dir).filter((name) => !fs.existsSync(join(dir, name)));
}

describe.for(drivers)("killed at any moment, on %s", (driver) => {
  test("nothing acknowledged is lost, nothing half is listed, nothing stays over", { timeout: 120_000 }, async () => {
    await using root = await TestRoot.make(driver);
    const kept = new Set<string>();
    // Whole copies take their time; what is tested here is the same.
    const rounds = driver === "vfs" ? 3 : 8;
    for (let round = 0; round < rounds; round++) {
      const said = await killedAfter(root, 1 + round);
      const { there, maybe } = acknowledged(said);
      for (const id of there) kept.add(id);
      for (const id of maybe) kept.delete(id);
      const store = await root.open();
      await expectWhole(root, store);
      const ids = new Set<string>([
        ...store.list().map(({ chainID }) => chainID),
        ...store.rw.list().map((rw) => rw.name),
      ]);
      for (const id of kept) expect(ids, `round ${round}: ${said.join("; ")}`).toContain(id);
      await root.closeAll();
    }
    expect(kept.size).toBeGreaterThan(0);
  });
});
