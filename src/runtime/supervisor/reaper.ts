import { becomeSubreaper, type Reaped, reap, type StandardStream, startProgram } from "../../sys/index.js";

/**
 * Takes the statuses of all children, of which Node knows nothing: of programs that it runs, of containers, whose
 * parents by birth have ended, and of whatever else is orphaned below.
 */
export class Reaper {
  readonly #known = new Map<number, (exitCode: number) => void>();
  /** While processes are started, only those that are known are asked for: a wait for any would take theirs. */
  #starting = 0;
  readonly #onChild = () => this.#look();

  constructor() {
    becomeSubreaper();
    process.on("SIGCHLD", this.#onChild);
  }

  /** Runs what starts processes, of which some will be known at its end. */
  async around<T>(run: () => Promise<T>): Promise<T> {
    this.#starting++;
    try {
      return await run();
    } finally {
      if (--this.#starting === 0) this.#look();
    }
  }

  /** Runs a program to its end. @returns its exit status, as a shell says it @throws SyscallError: it does not start */
  async run(file: string, args: readonly string[], streams: readonly StandardStream[]): Promise<number> {
    const pid = startProgram(file, args, streams);
    // Who waits for nothing but a signal ends.
    const alive = setInterval(() => {}, 2 ** 30);
    try {
      return await new Promise((resolve) => this.watch(pid, resolve));
    } finally {
      clearInterval(alive);
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
    if (this.#starting > 0) return;
    for (let any = reap(-1); any; any = reap(-1)) this.#took(any);
  }

  #took(reaped: Reaped | undefined): void {
    if (!reaped) return;
    const onExit = this.#known.get(reaped.pid);
    this.#known.delete(reaped.pid);
    onExit?.(reaped.exitCode);
  }
}
