import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { drivers, TestRoot } from "./store.test.tools.js";
import { acknowledged, expectWhole, idsIn } from "./whole.test.tools.js";

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

describe.for(drivers)("killed at any moment, on %s", (driver) => {
  test("nothing acknowledged is lost, nothing half is listed, nothing stays over", { timeout: 120_000 }, async () => {
    await using root = await TestRoot.make(driver);
    const kept = new Set<string>();
    // Whole trees take their time; what is tested here is the same.
    const rounds = driver === "overlay2" ? 4 : 2;
    for (let round = 0; round < rounds; round++) {
      const said = await killedAfter(root, 1 + 2 * round);
      const { there, dropped } = acknowledged(said);
      for (const id of there) kept.add(id);
      for (const id of dropped) kept.delete(id);
      const store = await root.open();
      await expectWhole(root, store);
      for (const id of kept) expect(idsIn(store), `round ${round}: ${said.join("; ")}`).toContain(id);
      await root.closeAll();
    }
    expect(kept.size).toBeGreaterThan(0);
  });
});
