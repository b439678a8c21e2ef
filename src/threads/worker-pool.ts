import { availableParallelism } from "node:os";
import { MessageChannel, type MessagePort, type TransferListItem, type Worker } from "node:worker_threads";
import { messageOf, Unavailable } from "../spec/index.js";
import type { WarmThreads } from "./warm-threads.js";
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

/** Tasks in threads, one at a time in each: at most `size` of them at once, more wait for their turn. */
export class WorkerPool<Job> {
  readonly #threads: WarmThreads;
  readonly #size: number;
  readonly #waiting: ((worker: Worker) => void)[] = [];
  #busy = 0;
  #closed = false;

  /** @param threads may be shared with other pools */
  constructor(threads: WarmThreads, size: number) {
    this.#threads = threads;
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

  /** Nothing is started afterwards. */
  close(): void {
    this.#closed = true;
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
    if (this.#busy < this.#size && (this.#busy < atOnce || this.#threads.areWarm)) return this.#begin();
    return new Promise((resolve) => {
      const given = (worker: Worker) => {
        clearTimeout(timer);
        resolve(worker);
      };
      const timer = setTimeout(() => this.#busy < this.#size && this.#unqueue(given), patienceMs);
      this.#waiting.push(given);
    });
  }

  /** One that has waited long enough gets a thread of its own. */
  #unqueue(given: (worker: Worker) => void): void {
    this.#waiting.splice(this.#waiting.indexOf(given), 1);
    given(this.#begin());
  }

  #begin(): Worker {
    this.#busy++;
    return this.#threads.take();
  }

  #give(worker: Worker): void {
    const next = this.#waiting.shift();
    if (next) next(worker);
    else {
      this.#busy--;
      this.#threads.keep(worker);
    }
  }

  #lost(): void {
    const next = this.#waiting.shift();
    if (next) next(this.#threads.take());
    else this.#busy--;
  }
}

/** So many work at once without delay. */
export const atOnce = Math.max(2, availableParallelism());
/**
 * So long each further task waits for the thread of another one: a new one takes that long to start, and small tasks are
 * done meanwhile. Those that work may as well wait for a network, so it gets one then.
 */
export const patienceMs = 100;

function outcomeOf<Result>(message: unknown): Outcome<Result> | undefined {
  const isOutcome = typeof message === "object" && message !== null && ("done" in message || "failed" in message);
  return isOutcome ? (message as Outcome<Result>) : undefined;
}
