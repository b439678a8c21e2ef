import { spawnSync } from "node:child_process";
import { loadLarge } from "./large.js";

/**
 * The long forms of what `npm test` does in short:
 *
 *     npm run torture              kills at every call of every operation, and 300 times at random
 *     npm run torture -- large     loads a layer of 10 GB and one of a million entries, and tells the peak memory
 */
const [what = "kill", directory] = process.argv.slice(2);

if (what === "large") await loadLarge(directory);
else if (what === "kill") killEverywhere();
else throw new Error(`torture: no ${what}: kill, or large [DIRECTORY]`);

function killEverywhere(): void {
  const env = { ...process.env, TORTURE_POINTS: "1000000", TORTURE_RANDOM: "300" };
  const { status } = spawnSync("npx", ["vitest", "run", "dist/test/torture"], { env, stdio: "inherit" });
  process.exitCode = status ?? 1;
}
