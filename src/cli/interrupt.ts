import { Cancelled } from "../spec/index.js";

/** Signals that ask to end. */
const asking = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Signals that a process may have its own use for. */
const passed: readonly NodeJS.Signals[] = [...asking, "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGCONT", "SIGALRM"];

/** Ctrl-C and its like: the first asks the command to stop and clean up, the second not to wait for anything. */
export class Interrupt implements Disposable {
  #stop = new AbortController();
  #hurry = new AbortController();
  #signal: NodeJS.Signals | undefined;
  #listener = (signal: NodeJS.Signals) => {
    this.#signal ??= signal;
    if (this.#stop.signal.aborted) this.#hurry.abort(new Cancelled("interrupted twice"));
    else this.#stop.abort(new Cancelled("interrupted"));
  };

  readonly #caught: readonly NodeJS.Signals[];

  /** @param except signals that mean something else here */
  constructor(except: readonly NodeJS.Signals[] = []) {
    this.#caught = asking.filter((name) => !except.includes(name));
    for (const name of this.#caught) process.on(name, this.#listener);
  }

  /** Fires at the first signal. */
  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  /** Fires at the second. */
  get hurry(): AbortSignal {
    return this.#hurry.signal;
  }

  /** The first signal that came. */
  get signal(): NodeJS.Signals | undefined {
    return this.#signal;
  }

  /** Until disposed signals mean nothing to this command: they go to `other`, those too that ask for something else. */
  divert(other: (signal: NodeJS.Signals) => void): Disposable {
    for (const name of this.#caught) process.off(name, this.#listener);
    for (const name of passed) process.on(name, other);
    const dispose = () => {
      for (const name of this.#caught) process.on(name, this.#listener);
      for (const name of passed) process.off(name, other);
    };
    return { [Symbol.dispose]: dispose };
  }

  /**
   * Ends the process as the signal would have done without us: shells see why it ended, and nothing that still waits,
   * such as a read of a pipe, holds it up.
   */
  obey(): void {
    this[Symbol.dispose]();
    if (this.#signal) process.kill(process.pid, this.#signal);
  }

  [Symbol.dispose](): void {
    for (const name of this.#caught) process.off(name, this.#listener);
  }
}
