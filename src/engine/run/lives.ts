import type { CacheID } from "../../spec/index.js";
import type { WaitResult } from "../api-process.js";
import type { Turns } from "../turns.js";
import { RestartBackoff } from "./restart-backoff.js";

/** What a container is given for as long as it runs: its tree, mounts and networks. Disposing gives it back. */
export interface Held extends AsyncDisposable {
  readonly mountID: CacheID;
  /** Absolute path of the merged tree. */
  readonly rootfs: string;
}

/** Looks after a running container now and then. */
export interface HealthMonitor {
  /** While the container is paused nobody looks. */
  pause(paused: boolean): void;
  stop(): void;
}

type Moment = "exit" | "removal";

/** What is known of a container only while its data root is open. */
export class Life {
  readonly restarts = new RestartBackoff();
  held: Held | undefined;
  health: HealthMonitor | undefined;
  /** Of a container that waits to be started again. */
  restartTimer: NodeJS.Timeout | undefined;
  /** Somebody is removing it. */
  removing = false;
  readonly #waiters: Record<Moment, Set<(result: WaitResult) => void>> = { exit: new Set(), removal: new Set() };

  /** Resolves at the next such moment. @throws the reason of `signal`, when that fires before */
  next(moment: Moment, signal?: AbortSignal): Promise<WaitResult> {
    return new Promise((resolve, reject) => {
      const waiters = this.#waiters[moment];
      const onAbort = () => {
        waiters.delete(told);
        reject(signal?.reason);
      };
      const told = (result: WaitResult) => {
        signal?.removeEventListener("abort", onAbort);
        resolve(result);
      };
      if (signal?.aborted) return reject(signal.reason);
      waiters.add(told);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Tells who waits for it. */
  tell(moment: Moment, result: WaitResult): void {
    const waiters = [...this.#waiters[moment]];
    this.#waiters[moment].clear();
    for (const resolve of waiters) resolve(result);
  }
}

/** The lives of the containers of one data root, by id. */
export class Lives {
  readonly #turns: Turns;
  readonly #lives = new Map<string, Life>();

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  of(id: string): Life {
    const life = this.#lives.get(id) ?? new Life();
    this.#lives.set(id, life);
    return life;
  }

  /** Layers whose mounts containers that run are on. */
  mounted(): CacheID[] {
    return [...this.#lives.values()].flatMap(({ held }) => (held ? [held.mountID] : []));
  }

  /** Nothing is done for containers any more; they go on. */
  close(): void {
    for (const life of this.#lives.values()) {
      clearTimeout(life.restartTimer);
      life.health?.stop();
    }
  }

  /** The container is no more. */
  forget(id: string): void {
    this.#lives.delete(id);
  }

  /**
   * Runs alone among all that changes a container's state. Whoever wants the turn of the container's tree too takes
   * it after this one.
   */
  turn<T>(id: string, run: () => Promise<T>): Promise<T> {
    return this.#turns.alone(`state of ${id}`, run);
  }
}
