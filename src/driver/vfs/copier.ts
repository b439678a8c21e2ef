import { Worker } from "node:worker_threads";
import { Unavailable } from "../../spec/index.js";
import type { Copy } from "./copy-tree.js";

/** What the thread answers. */
export interface Copied {
  readonly failure?: string;
}

type Settle = (copied: Copied) => void;

/** Copies trees, one after the other, in a thread that is started with the first and keeps no process alive. */
export class Copier {
  #worker: Worker | undefined;
  readonly #waiting: Settle[] = [];

  /** @throws Unavailable: a full disk, no right to make a device … */
  async copy(copy: Copy): Promise<void> {
    this.#worker ??= this.#start();
    this.#worker.ref();
    this.#worker.postMessage(copy);
    const { failure } = await new Promise<Copied>((settle) => this.#waiting.push(settle));
    if (this.#waiting.length === 0) this.#worker?.unref();
    if (failure !== undefined) throw new Unavailable(`cannot copy ${copy.from}: ${failure}`);
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
