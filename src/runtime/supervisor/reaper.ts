import { becomeSubreaper, type Reaped, reap } from "../../sys/index.js";

/**
 * Takes the statuses of children that Node knows nothing of: containers, whose parents by birth have ended, and
 * whatever else is orphaned below. Node's own children stay Node's.
 */
export class Reaper {
  readonly #known = new Map<number, (exitCode: number) => void>();
  /** While Node has children, only known processes are asked for: a wait for any would take Node's. */
  #own = 0;
  readonly #onChild = () => this.#look();

  constructor() {
    becomeSubreaper();
    process.on("SIGCHLD", this.#onChild);
  }

  /** Runs what has children of Node's own, or of which some will be known at its end. */
  async around<T>(run: () => Promise<T>): Promise<T> {
    this.#own++;
    try {
      return await run();
    } finally {
      if (--this.#own === 0) this.#look();
    }
  }

  /** Calls `onExit` once, with a child that may have ended already. From then on `pid` is another's. */
  watch(pid: number, onExit: (exitCode: number) => void): void {
    this.#known.set(pid, onExit);
    this.#took(reap(pid));
  }

  /** @returns false: there is no such child any more */
  kill(pid: number, signal: number): boolean {
    return this.#known.has(pid) && process.kill(pid, signal);
  }

  #look(): void {
    for (const pid of this.#known.keys()) this.#took(reap(pid));
    if (this.#own > 0) return;
    for (let any = reap(-1); any; any = reap(-1)) this.#took(any);
  }

  #took(reaped: Reaped | undefined): void {
    if (!reaped) return;
    const onExit = this.#known.get(reaped.pid);
    this.#known.delete(reaped.pid);
    onExit?.(reaped.exitCode);
  }
}
