import { availableParallelism } from "node:os";
import { MessageChannel, type MessagePort, type TransferListItem, Worker } from "node:worker_threads";
import { messageOf, Unavailable } from "../spec/index.js";
import { unpackError, type WireError } from "./wire-error.js";

/** What a worker gets: something to do, and the port over which everything about it is said. */
export interface Task<Job> {
  readonly job: Job;
  readonly port: MessagePort;
}

/** Asks a worker to end its task before its time; it answers with a failure. */
export interface Stop {
  readonly stop: true;
}

/** The last word about a task. */
type Outcome<Result> = { readonly done: Result } | { readonly failed: WireError };

/** A task under way in a worker. */
export interface Running<Message, Result> {
  /** Settles when the worker has ended the task, or has died. */
  readonly result: Promise<Result>;
  send(message: Message | Stop, transfer?: readonly TransferListItem[]): void;
}

/**
 * Threads that do one task at a time: at most `size` of them, more tasks wait for their turn. Idle ones stay warm for
 * a while and keep no process alive.
 */
export class WorkerPool<Job> {
  readonly #script: URL;
  readonly #size: number;
  readonly #idle: { readonly worker: Worker; readonly timer: NodeJS.Timeout }[] = [];
  readonly #waiting: ((worker: Worker) => void)[] = [];
  #started = 0;
  #closed = false;

  constructor(script: URL, size: number) {
    this.#script = script;
    this.#size = size;
  }

  /** Waits for a free thread and starts `job` in it; `onReply` gets what the worker says before its last word. */
  async start<Message, Reply, Result>(job: Job, onReply: (reply: Reply) => void): Promise<Running<Message, Result>> {
    const worker = await this.#take();
    const { port1: port, port2 } = new MessageChannel();
    const result = this.#resultOf<Reply, Result>(worker, port, onReply);
    // Whoever runs the task looks at the result when it is time to; until then a failure is not unhandled.
    result.catch(() => {});
    worker.postMessage({ job, port: port2 } satisfies Task<Job>, [port2]);
    return { result, send: (message, transfer = []) => port.postMessage(message, transfer) };
  }

  /** Ends idle threads; those that work end with their task. Nothing is started afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#idle.splice(0).map(({ worker, timer }) => end(worker, timer)));
  }

  #resultOf<Reply, Result>(worker: Worker, port: MessagePort, onReply: (reply: Reply) => void): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const settle = (free: boolean) => {
        port.close();
        worker.removeAllListeners("error").removeAllListeners("exit");
        if (free) this.#give(worker);
        else this.#lost();
      };
      const died = (why: string) => {
        settle(false);
        reject(new Unavailable(`the worker thread ended before its work: ${why}`));
      };
      worker.once("error", (error) => died(messageOf(error)));
      worker.once("exit", (status) => died(`exit status ${status}`));
      port.on("message", (message: Reply | Outcome<Result>) => {
        const outcome = outcomeOf<Result>(message);
        if (!outcome) return onReply(message as Reply);
        settle(true);
        if ("failed" in outcome) reject(unpackError(outcome.failed));
        else resolve(outcome.done);
      });
    });
  }

  async #take(): Promise<Worker> {
    if (this.#closed) throw new Unavailable("no thread any more: its owner is closed");
    const warm = this.#idle.pop();
    if (warm) {
      clearTimeout(warm.timer);
      warm.worker.removeAllListeners();
      warm.worker.ref();
      return warm.worker;
    }
    if (this.#started < this.#size) {
      this.#started++;
      return this.#begin();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Not with this process's own options: some, as --input-type, no thread can start with. */
  #begin(): Worker {
    return new Worker(this.#script, { execArgv: [], resourceLimits: { maxYoungGenerationSizeMb: youngMb } });
  }

  #give(worker: Worker): void {
    const next = this.#waiting.shift();
    if (next) next(worker);
    else this.#keep(worker);
  }

  #keep(worker: Worker): void {
    worker.unref();
    const drop = () => {
      const at = this.#idle.findIndex((idle) => idle.worker === worker);
      if (at < 0) return;
      this.#started--;
      void end(worker, this.#idle.splice(at, 1)[0]!.timer);
    };
    worker.once("error", drop).once("exit", drop);
    const idleMs = this.#idle.length < keptWarm ? warmMs : spareMs;
    this.#idle.push({ worker, timer: setTimeout(drop, this.#closed ? 0 : idleMs).unref() });
  }

  #lost(): void {
    const next = this.#waiting.shift();
    if (next) next(this.#begin());
    else this.#started--;
  }
}

/** What threads here make is used up at once; by itself each would let 48 MB of it gather before looking. */
const youngMb = 2;

/** So many threads of a pool stay longer without work: half as many as there are processors, for tasks that take two. */
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

function outcomeOf<Result>(message: unknown): Outcome<Result> | undefined {
  const isOutcome = typeof message === "object" && message !== null && ("done" in message || "failed" in message);
  return isOutcome ? (message as Outcome<Result>) : undefined;
}
