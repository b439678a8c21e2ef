import { Worker } from "node:worker_threads";
import { Unavailable } from "../../spec/index.js";
import type { Trees } from "./copy-tree.js";

/** What the thread is asked for. */
export interface Order {
  readonly kind: "copy" | "link";
  readonly trees: Trees;
}

/** What the thread answers. */
export interface Copied {
  readonly failure?: string;
  /** Of file content. */
  readonly bytes?: number;
}

type Settle = (copied: Copied) => void;

/** Copies and links trees, one after the other, in a thread that is started with the first and keeps no process alive. */
export class Copier {
  /** Of file content copied so far, that could be neither linked nor shared. */
  bytesCopied = 0;
  #worker: Worker | undefined;
  readonly #waiting: Settle[] = [];

  /** @see copyTree @throws Unavailable: a full disk, no right to make a device … */
  async copy(trees: Trees): Promise<void> {
    await this.#run({ kind: "copy", trees });
  }

  /** @see linkTree @throws Unavailable: a full disk … */
  async link(trees: Trees): Promise<void> {
    await this.#run({ kind: "link", trees });
  }

  async #run(order: Order): Promise<void> {
    this.#worker ??= this.#start();
    this.#worker.ref();
    this.#worker.postMessage(order);
    const { failure, bytes = 0 } = await new Promise<Copied>((settle) => this.#waiting.push(settle));
    if (this.#waiting.length === 0) this.#worker?.unref();
    this.bytesCopied += bytes;
    if (failure !== undefined) throw new Unavailable(`cannot ${order.kind} ${order.trees.from}: ${failure}`);
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  #start(): Worker {
    const worker = new Worker(new URL("./copy-tree-worker.js", import.meta.url), { execArgv: [] });
    worker.on("message", (copied: Copied) => this.#waiting.shift()?.(copied));
    worker.on("exit", () => {
      this.#worker = undefined;
      for (const settle of this.#waiting.splice(0)) settle({ failure: "the copying thread has ended" });
    });
    worker.on("error", () => {}); // "exit" follows
    return worker;
  }
}
