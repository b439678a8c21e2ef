import { createServer, type Server, type Socket } from "node:net";
import { LayerkitError, messageOf } from "../../spec/index.js";
import type { Exit, LogMark } from "./contract.js";
import {
  fromLine,
  type Hello,
  protocolVersion,
  type RequestLine,
  readLines,
  type SupervisorLine,
  toLine,
  type Welcome,
  type WireError,
} from "./protocol.js";
import type { Supervision } from "./supervision.js";

/** Answers clients on the socket. */
export class SupervisorServer {
  readonly #server: Server;
  readonly #supervision: Supervision;
  readonly #controls = new Set<Socket>();
  #connections = 0;
  #unanswered = 0;

  constructor(supervision: Supervision) {
    this.#supervision = supervision;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  /** @param path made by this, for the user alone */
  async listen(path: string): Promise<void> {
    const before = process.umask(0o177);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once("error", reject);
        this.#server.listen(path, resolve);
      });
    } finally {
      process.umask(before);
    }
  }

  /** Nobody waits for an answer. */
  get idle(): boolean {
    return this.#unanswered === 0;
  }

  get clients(): number {
    return this.#connections;
  }

  exited(exit: Exit): void {
    for (const socket of this.#controls) send(socket, { exit });
  }

  /** Tells the clients that it ends. Requests that come now stay without an answer. */
  leave(): void {
    this.#server.close();
    for (const socket of this.#controls) socket.end(toLine({ leaving: true }));
    this.#controls.clear();
  }

  #accept(socket: Socket): void {
    this.#connections++;
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#connections--;
      this.#controls.delete(socket);
    });
    const stop = readLines(socket, (line) => {
      stop();
      this.#unanswered++;
      this.#greet(socket, fromLine<Hello>(line))
        .catch((error) => socket.end(toLine({ error: wireError(error) })))
        .finally(() => this.#unanswered--);
    });
    socket.on("end", () => socket.end());
  }

  async #greet(socket: Socket, hello: Hello): Promise<void> {
    if (hello.protocol !== protocolVersion) {
      throw new Error(`this supervisor speaks version ${protocolVersion} of its protocol, not ${hello.protocol}`);
    }
    const welcome = (mark?: LogMark) => {
      socket.write(toLine({ protocol: protocolVersion, pid: process.pid, ...(mark && { mark }) } satisfies Welcome));
    };
    if (hello.open === "attach") return this.#supervision.attach(hello.target, socket, hello.streams, welcome);
    welcome();
    for (const exit of this.#supervision.exits) send(socket, { exit });
    this.#controls.add(socket);
    readLines(socket, (line) => void this.#answer(socket, fromLine<RequestLine>(line)));
    socket.resume();
  }

  async #answer(socket: Socket, line: RequestLine): Promise<void> {
    if (!this.#controls.has(socket)) return;
    this.#unanswered++;
    try {
      send(socket, { number: line.number, ok: (await this.#do(line)) ?? null });
    } catch (error) {
      send(socket, { number: line.number, error: wireError(error) });
    } finally {
      this.#unanswered--;
    }
  }

  #do({ op, request }: RequestLine): unknown {
    const supervision = this.#supervision;
    switch (op) {
      case "start":
        return supervision.start(request);
      case "exec":
        return supervision.exec(request);
      case "abandon":
        return supervision.abandon(request);
      case "resize":
        return supervision.resize(request.target, request.size);
      case "kill":
        return supervision.kill(request.target, request.signal);
      case "list":
        return supervision.list();
      case "acknowledge":
        return supervision.acknowledge(request);
    }
  }
}

function send(socket: Socket, line: SupervisorLine): void {
  socket.write(toLine(line));
}

function wireError(error: unknown): WireError {
  return { code: error instanceof LayerkitError ? error.code : "internal", message: messageOf(error) };
}
