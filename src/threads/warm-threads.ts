import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

/** Threads of one script, started when they are needed. Idle ones stay warm for a while and keep no process alive. */
export class WarmThreads {
  readonly #script: URL;
  readonly #idle: { readonly worker: Worker; readonly timer: NodeJS.Timeout }[] = [];
  #closed = false;

  constructor(script: URL) {
    this.#script = script;
  }

  /** Whether one is idle. */
  get areWarm(): boolean {
    return this.#idle.length > 0;
  }

  /** A thread for one task: a warm one, or else a new one. */
  take(): Worker {
    const warm = this.#idle.pop();
    if (!warm) return this.#begin();
    clearTimeout(warm.timer);
    warm.worker.removeAllListeners();
    warm.worker.ref();
    return warm.worker;
  }

  /** Its task is done. */
  keep(worker: Worker): void {
    worker.unref();
    const drop = () => {
      const at = this.#idle.findIndex((idle) => idle.worker === worker);
      if (at >= 0) void end(worker, this.#idle.splice(at, 1)[0]!.timer);
    };
    worker.once("error", drop).once("exit", drop);
    const idleMs = this.#idle.length < keptWarm ? warmMs : spareMs;
    this.#idle.push({ worker, timer: setTimeout(drop, this.#closed ? 0 : idleMs).unref() });
  }

  /** Ends idle threads, and others when they are given back. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#idle.splice(0).map(({ worker, timer }) => end(worker, timer)));
  }

  /** Not with this process's own options: some, as --input-type, no thread can start with. */
  #begin(): Worker {
    return new Worker(this.#script, { execArgv: [], resourceLimits: { maxYoungGenerationSizeMb: youngMb } });
  }
}

/** What threads here make is used up at once; by itself each would let 48 MB of it gather before looking. */
const youngMb = 2;

/** So many threads of a script stay longer without work: half as many as there are processors, for tasks that take two. */
export const keptWarm = Math.ceil(availableParallelism() / 2);
/** How long those stay: what comes next finds their code compiled, and a daemon that idles has none. */
const warmMs = 10 * 60_000;
/** How long the others stay. */
const spareMs = 60_000;

async function end(worker: Worker, timer: NodeJS.Timeout): Promise<void> {
  clearTimeout(timer);
  worker.removeAllListeners();
  await worker.terminate();
}
