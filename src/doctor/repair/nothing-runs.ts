import { existsSync } from "node:fs";
import { join } from "node:path";
import { Conflict, shortID } from "../../spec/index.js";
import type { RootState } from "../root/root-state.js";

/**
 * Containers may outlive the daemon that started them, and have layers mounted whose files would be replaced below
 * them.
 *
 * @throws Conflict: which one runs
 */
export function assertNothingRuns({ containers, layerdb, home, mounted }: RootState): void {
  for (const [id, { config }] of containers) {
    const pid = config?.State?.Running ? (config.State.Pid ?? 0) : 0;
    const mountID = layerdb.mounts.get(id)?.mountID;
    if (pid === 0 || mountID === undefined || !existsSync(`/proc/${pid}`)) continue;
    // After a restart of the machine another process may have that number; but nothing is mounted then.
    if (!mounted.some(({ path }) => path === join(home, mountID, "merged"))) continue;
    const name = config?.Name?.replace(/^\//, "") || shortID(id);
    throw new Conflict(`container ${name} runs (process ${pid}): stop it, and repair then`);
  }
}
