import * as fs from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { LayerStore } from "./layer-store.js";
import { collect, sha256, type TestRoot } from "./store.test.tools.js";

/** What the victim has acknowledged, and what of it may be gone since: chains and names. */
export function acknowledged(said: readonly string[]): { readonly there: Set<string>; readonly dropped: Set<string> } {
  const there = new Set<string>();
  const dropped = new Set<string>();
  for (const line of said) {
    const [what, id = ""] = line.split(" ");
    if (what === "has") there.add(id);
    if (what === "drops") dropped.add(id);
    if (what === "drops") there.delete(id);
  }
  return { there, dropped };
}

/** What is listed is whole and verifies; nothing else is there. */
export async function expectWhole(root: TestRoot, store: LayerStore): Promise<void> {
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

/** Chains and names of all that is listed. */
export function idsIn(store: LayerStore): Set<string> {
  return new Set([...store.list().map(({ chainID }) => chainID), ...store.rw.list().map(({ name }) => name)]);
}

/** Short names of overlay2 that lead nowhere. */
function danglingLinks(root: TestRoot): string[] {
  const dir = join(root.home, "l");
  if (!fs.existsSync(dir)) return [];
  return fs.readdirSync(dir).filter((name) => !fs.existsSync(join(dir, name)));
}
