import type { Socket } from "node:net";
import { type Changeable, productVersion, trimMalloc } from "../engine/index.js";
import { Undo } from "../spec/index.js";
import { HeldMounts } from "./held-mounts.js";
import { Failures } from "./http/failures.js";
import { HttpServer } from "./http/server.js";
import { apiVersion } from "./http/version.js";
import { Listener } from "./listen.js";
import type { Log, LogLevel } from "./log.js";
import { routerOf } from "./routes/index.js";
import type { Served } from "./served.js";

export interface DaemonOptions {
  /** Disposed when the daemon closes. */
  readonly engine: Served & AsyncDisposable;
  /** Paths of the unix sockets to listen on. */
  readonly sockets: readonly string[];
  /** Descriptors of listening sockets that were handed over. */
  readonly activated?: readonly number[];
  readonly log: Log;
  /** Whether it serves until told to end (`serve`), and not just for the life of one command. */
  readonly lasting: boolean;
}

interface DaemonParts extends Pick<DaemonOptions, "engine" | "log"> {
  readonly mounts: HeldMounts;
  readonly http: HttpServer;
  readonly listeners: readonly Listener[];
}

/** The Engine API on unix sockets, over one engine. */
export class Daemon {
  #engine: Served & AsyncDisposable;
  #log: Log;
  #mounts: HeldMounts;
  #http: HttpServer;
  #listeners: readonly Listener[];

  private constructor({ engine, log, mounts, http, listeners }: DaemonParts) {
    this.#engine = engine;
    this.#log = log;
    this.#mounts = mounts;
    this.#http = http;
    this.#listeners = listeners;
  }

  /** Listens on all sockets or, when one cannot be had, on none. The engine is the caller's until this resolves. */
  static async open({ engine, sockets, activated = [], log, lasting }: DaemonOptions): Promise<Daemon> {
    const mounts = new HeldMounts(engine.containers);
    const failures = new Failures();
    const router = routerOf(engine, { mounts, failures, lasting, log });
    const http = new HttpServer({ router, headers: identity, log, failures, ...(lasting && { onLong: trimMalloc }) });
    const listeners: Listener[] = [];
    await using undo = new Undo();
    for (const socket of [...sockets, ...activated]) {
      const failed = (error: Error) => log.error("cannot take a connection", { socket, error: error.message });
      const accept = (connection: Socket) => http.accept(connection);
      const listener =
        typeof socket === "string"
          ? await Listener.open(socket, accept, failed)
          : await Listener.adopt(socket, accept, failed);
      undo.defer(() => listener[Symbol.asyncDispose]());
      listeners.push(listener);
    }
    undo.done();
    return new Daemon({ engine, log, mounts, http, listeners });
  }

  /**
   * Changes what can change while it serves. Running requests go on as they began.
   *
   * @throws InvalidParameter: nothing has changed
   */
  reload(settings: Changeable, level: LogLevel): void {
    this.#engine.reload(settings);
    this.#log.level = level;
  }

  /** How many clients are connected. */
  get clients(): number {
    return this.#http.clients;
  }

  /**
   * Takes no new connections and waits until those there are have been closed by their clients: nobody who got
   * through is turned away. Then closes.
   */
  async drain(now?: AbortSignal): Promise<void> {
    await this.#deaf();
    await Promise.race([this.#http.drain(), fired(now)]);
    await this.close(0, now);
  }

  /**
   * Takes no new connections, lets running requests end (after `graceMs`, or when `now` fires, it aborts them),
   * unmounts everything and frees the data root.
   */
  async close(graceMs: number, now?: AbortSignal): Promise<void> {
    await this.#deaf();
    await this.#http.close(graceMs, now);
    try {
      await this.#mounts[Symbol.asyncDispose]();
    } finally {
      await this.#engine[Symbol.asyncDispose]();
    }
  }

  async #deaf(): Promise<void> {
    for (const listener of this.#listeners) await listener[Symbol.asyncDispose]();
  }
}

const identity = {
  "Api-Version": apiVersion,
  Ostype: "linux",
  "Docker-Experimental": "false",
  Server: `Layerkit/${productVersion} (linux)`,
};

/** Resolves when the signal fires; never without one. */
async function fired(signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted) return;
  await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true }));
}
