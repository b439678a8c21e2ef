import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { diskFacts } from "../../../test/oracle/disk-facts.js";
import { layerkitMain } from "../../../test/oracle/layerkitd.js";
import { lacking } from "../../../test/oracle/programs.js";
import { output } from "../../../test/oracle/run.js";
import { app, base, DamagedRoot, idOf, wholeImages } from "./damaged-root.test.tools.js";
import { quarantineName } from "./quarantine.js";
import { repair } from "./repair.js";

const drivers = lacking("root", "mounts") ? [] : (["overlay2", "overlay"] as const);

/** So often, each time at another moment of the time that it takes. */
const kills = 3;

describe.each(drivers)("a repair with %s", (driver) => {
  test("that is killed at any moment is just done again", { timeout: 300_000 }, async () => {
    await using original = await DamagedRoot.make(driver);
    const archive = await original.archive("docker");
    const whole = contentOf(original.root, driver);
    damage(original);
    const start = (root: string) => {
      const args = ["--root", root, "--storage-driver", driver, "repair", "--deep", "--no-fetch", "--from", archive];
      const child = spawn(process.execPath, [layerkitMain, ...args], { stdio: "ignore" });
      return { child, exit: once(child, "exit") };
    };
    let took = 0;
    for (let n = 0; n <= kills; n++) {
      const root = join(original.path, `copy${n}`);
      await output("cp", ["-a", original.root, root]);
      const before = performance.now();
      if (n > 0) {
        const { child, exit } = start(root);
        await delay((took * n) / (kills + 1));
        child.kill("SIGKILL");
        await exit;
      }
      expect((await start(root).exit)[0]).toBe(0);
      if (n === 0) took = performance.now() - before;
      expect(await wholeImages(root, driver)).toEqual([base, app].map(idOf).sort());
      expect(contentOf(root, driver)).toEqual(whole);
      expect(fs.readdirSync(join(root, quarantineName))).not.toContain("staging");
      const half = fs
        .readdirSync(root, { recursive: true, encoding: "utf8" })
        .filter((path) => /(^|\/)\.tmp-/.test(path));
      expect(half.filter((path) => !path.startsWith(quarantineName))).toEqual([]);
      fs.rmSync(root, { recursive: true });
    }
  });
});

test.skipIf(drivers.length === 0)("what a repair killed at its very end has left goes with the next", async () => {
  await using whole = await DamagedRoot.make("overlay2");
  const path = join(whole.root, quarantineName);
  const mended = () => repair(whole.root, { sources: [], tell: async () => {} });
  await mended();
  fs.mkdirSync(join(path, "staging/overlay2/l"), { recursive: true });
  expect(await mended()).toMatchObject({ done: 0, left: [] });
  expect(fs.existsSync(path)).toBe(false);
});

function damage(root: DamagedRoot): void {
  fs.writeFileSync(root.file(0, "kept/deep/file"), "damaged\n");
  fs.rmSync(root.file(0, "d"), { recursive: true });
  fs.rmSync(root.file(0, "b"));
  fs.writeFileSync(root.file(2, "top/foreign"), "not of the layer");
  fs.rmSync(root.entry(0, "tar-split.json.gz"));
  fs.rmSync(root.directory(1), { recursive: true });
  fs.rmSync(root.entry(1), { recursive: true });
  fs.rmSync(root.config(app));
  fs.mkdirSync(join(root.home, "e".repeat(64)));
}

/** All that is in layers, without their names: one that was lost altogether has got another. */
function contentOf(root: string, driver: string): string[] {
  const home = join(root, driver);
  const trees = fs.readdirSync(home).filter((name) => name.length === 64);
  return trees
    .map((id) => diskFacts(join(home, id, driver === "overlay2" ? "diff" : "root"), Date.now() - 600_000).join("\n"))
    .sort();
}
