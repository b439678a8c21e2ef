import { mkdtemp, rm } from "node:fs/promises";
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NotFound } from "../spec/index.js";
import { Daemon } from "./daemon.js";
import { Log } from "./log.js";
import type { Served } from "./served.js";

/** Calls that reached the engine: `images.list` with what it was given. */
export type Seen = [what: string, ...given: unknown[]];

/**
 * An engine that answers with what a test gives it and notes what it was asked. What the test does not give, fails as
 * a missing object does.
 */
export function fakeEngine(given: Record<string, Record<string, unknown>>): {
  engine: Served & AsyncDisposable;
  seen: Seen[];
} {
  const seen: Seen[] = [];
  const part = (name: string) =>
    new Proxy(
      {},
      {
        get:
          (_, method: string) =>
          (...args: unknown[]) => {
            seen.push([`${name}.${method}`, ...args]);
            const answer = given[name]?.[method];
            if (answer === undefined) throw new NotFound(`No such ${name.slice(0, -1)}: ${String(args[0])}`);
            return typeof answer === "function" ? answer(...args) : answer;
          },
      },
    );
  const names = ["images", "layers", "containers", "processes", "execs", "volumes", "networks", "events"] as const;
  const parts = Object.fromEntries(names.map((name) => [name, part(name)]));
  const own = part("engine") as Pick<Served, "info" | "version" | "diskUsage" | "login">;
  const engine = {
    ...parts,
    root: "/fake",
    driver: { name: "fake" },
    info: () => own.info(),
    version: () => own.version(),
    diskUsage: () => own.diskUsage(),
    login: own.login,
    [Symbol.asyncDispose]: async () => void seen.push(["dispose"]),
  };
  return { engine: engine as unknown as Served & AsyncDisposable, seen };
}

/** A daemon on a socket of its own, with a small client. */
export class Rig implements AsyncDisposable {
  readonly socket: string;
  readonly daemon: Daemon;
  readonly seen: Seen[];
  readonly logged: string[];
  #dir: string;
  #agent = new Agent();
  #closed = false;

  private constructor(dir: string, daemon: Daemon, seen: Seen[], logged: string[]) {
    this.#dir = dir;
    this.socket = join(dir, "s");
    this.daemon = daemon;
    this.seen = seen;
    this.logged = logged;
  }

  static async open(given: Record<string, Record<string, unknown>> = {}, lasting = true): Promise<Rig> {
    const dir = await mkdtemp(join(tmpdir(), "layerkit-"));
    const { engine, seen } = fakeEngine(given);
    const logged: string[] = [];
    const log = new Log({ write: (line) => void logged.push(line) });
    const daemon = await Daemon.open({ engine, sockets: [join(dir, "s")], log, lasting });
    return new Rig(dir, daemon, seen, logged);
  }

  /** Sends a request and reads the whole answer. */
  async ask(method: string, path: string, { headers = {}, body = "" as string | object } = {}): Promise<Answered> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const json = typeof body === "object" ? { "Content-Type": "application/json" } : {};
    const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { socketPath: this.socket, agent: this.#agent, method, path, headers: { ...json, ...headers } };
      request(options, resolve).on("error", reject).end(text);
    });
    const chunks: Uint8Array[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    return new Answered(incoming, Buffer.concat(chunks).toString());
  }

  /** A connection to write to by hand. */
  async raw(): Promise<Socket> {
    const socket = connect(this.socket);
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return socket;
  }

  async close(graceMs = 0): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.daemon.close(graceMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    await this.close();
    await rm(this.#dir, { recursive: true });
  }
}

export class Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly complete: boolean;

  constructor(incoming: IncomingMessage, text: string) {
    this.status = incoming.statusCode ?? 0;
    this.headers = incoming.headers;
    this.complete = incoming.complete;
    this.text = text;
  }

  get json(): unknown {
    return JSON.parse(this.text);
  }
}
