import { readFileSync, rmSync } from "node:fs";
import { rmdir } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../spec/index.js";
import type { StandardStream } from "../../sys/index.js";
import { deleteContainer, oomKills, readContainerState } from "../container-state.js";
import { type RuntimePlace, runc } from "../runc.js";
import { placeOf } from "../runtime-of.js";
import { anticipateMove } from "./cgroup-move.js";
import type { ProcessRef } from "./contract.js";
import type { Reaper } from "./reaper.js";
import type { Records } from "./records.js";

export interface ContainersParts {
  readonly place: RuntimePlace;
  readonly records: Records;
  readonly reaper: Reaper;
  /** For the log of the supervisor. */
  say(message: string): void;
}

/** What the runtime does with the containers of a run directory, and their bundles. */
export class Containers {
  readonly #parts: ContainersParts;
  readonly #bundles = new Map<string, string>();

  constructor(parts: ContainersParts) {
    this.#parts = parts;
  }

  /** Notes where the bundle of a container is, which goes with it. */
  has(id: string, bundle: string): void {
    this.#bundles.set(id, bundle);
  }

  /**
   * Has the runtime start a process.
   *
   * @param args of the runtime; they may name the files of the target's scratch path `.pid`, for its number, and `.process`
   * @returns its number @throws Error in the words of the runtime
   */
  async run(target: ProcessRef, args: readonly string[], streams: readonly StandardStream[]): Promise<number> {
    const { place, records } = this.#parts;
    const scratch = records.scratch(target);
    void anticipateMove();
    try {
      await runc(placeOf(place, target.id), [...args, target.id], { streams, scratch });
      return Number(readFileSync(`${scratch}.pid`, "utf8"));
    } finally {
      for (const suffix of [".pid", ".process"]) rmSync(scratch + suffix, { force: true });
    }
  }

  /**
   * Removes what is left of one whose first process has ended, others with it that live on.
   *
   * @returns whether the kernel has killed one of its processes for want of memory
   */
  async clear(id: string): Promise<boolean> {
    const { reaper, records, say } = this.#parts;
    const place = placeOf(this.#parts.place, id);
    const state = readContainerState(place, id);
    const oomKilled = state !== undefined && oomKills(state) > 0;
    const deleted = reaper.around(() => deleteContainer(place, id, state, records.scratch({ id })));
    const results = await Promise.allSettled([deleted, this.removeBundle(id)]);
    for (const result of results) if (result.status === "rejected") say(`${id}: ${messageOf(result.reason)}`);
    return oomKilled;
  }

  /** Ends one that may run, and removes it. */
  async deleteForcibly(id: string): Promise<void> {
    const { place, reaper, records, say } = this.#parts;
    const scratch = records.scratch({ id });
    try {
      await reaper.around(() => runc(placeOf(place, id), ["delete", "--force", id], { scratch }));
    } catch (error) {
      say(`${id}: ${messageOf(error)}`);
    }
    await this.removeBundle(id);
  }

  /** Deletes the bundle's own files; if the caller has put more there, that stays. */
  async removeBundle(id: string): Promise<void> {
    const bundle = this.#bundles.get(id);
    this.#bundles.delete(id);
    if (bundle === undefined) return;
    rmSync(join(bundle, "config.json"), { force: true });
    await rmdir(bundle).catch(() => {});
  }
}
