import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { playBadRegistries } from "./bad-registries.js";
import { playFullDisks } from "./full-disk.js";
import { playKills } from "./kills.js";
import { loadLarge } from "./large.js";
import { playMigrations } from "./migrations.js";
import { playPowerCuts } from "./power.js";
import type { Bounds } from "./rounds.js";
import { playRuns } from "./runs.js";

/**
 * The long forms of what `npm test` does in short:
 *
 *     npm run torture -- calls     kills at every system call of every operation
 *     npm run torture -- kill      kills the daemon at random moments of its work
 *     npm run torture -- power     cuts the power at random moments, on ext4 and XFS
 *     npm run torture -- disk      fills the disk to a random remainder before each operation
 *     npm run torture -- migrate   kills changes of the storage driver, and cuts the power under them, at random moments
 *     npm run torture -- run       ends the daemon at random moments while clients run containers
 *     npm run torture -- registry  pulls from a registry that does wrong in random ways
 *     npm run torture -- large     loads a layer of 10 GB and one of a million entries, and tells the peak memory
 *
 * Several can be named; none means all but `large`. `--rounds N` (300) and `--minutes N` bound each.
 */
const plays: Readonly<Record<string, (bounds: Bounds) => Promise<{ readonly losses: readonly string[] }>>> = {
  calls: async () => ({ losses: killAtCalls() ? [] : ["see above"] }),
  kill: playKills,
  power: (bounds) => playPowerCuts(bounds),
  disk: (bounds) => playFullDisks(bounds),
  migrate: playMigrations,
  run: playRuns,
  registry: playBadRegistries,
  large: async () => ({ losses: await loadLarge().then(() => []) }),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "300" }, minutes: { type: "string" } },
});
const interrupt = new AbortController();
process.on("SIGINT", () => {
  console.log("ends after this round");
  interrupt.abort();
});
const bounds = {
  rounds: Number(values.rounds),
  minutes: values.minutes === undefined ? Number.POSITIVE_INFINITY : Number(values.minutes),
  signal: interrupt.signal,
};
const names = positionals.length > 0 ? positionals : Object.keys(plays).filter((name) => name !== "large");
for (const name of names) {
  const play = plays[name];
  if (play === undefined) throw new Error(`torture: no ${name}: ${Object.keys(plays).join(", ")}`);
  const { losses } = await play(bounds);
  if (losses.length > 0) process.exitCode = 1;
}

function killAtCalls(): boolean {
  const env = { ...process.env, TORTURE_POINTS: "1000000" };
  const { status } = spawnSync("npx", ["vitest", "run", "dist/test/torture/kill.test.js"], { env, stdio: "inherit" });
  return status === 0;
}
