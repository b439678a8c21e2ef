import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Socket } from "node:net";
import { Cancelled, messageOf, Unavailable } from "../../spec/index.js";
import type { Log } from "../log.js";
import { Call, type Handler } from "./call.js";
import { Connections } from "./connections.js";
import { type Exchange, exchange } from "./exchange.js";
import { type Failures, requestHeader } from "./failures.js";
import { hijack, upgradeExchange } from "./hijack.js";
import type { Router } from "./router.js";
import { errorAnswer, send } from "./send.js";
import { statusOf } from "./status.js";
import { splitVersion } from "./version.js";

export interface HttpServerOptions {
  readonly router: Router<Handler>;
  /** Headers that every answer carries. */
  readonly headers: Readonly<Record<string, string>>;
  readonly log: Log;
  readonly failures: Failures;
  /** Called when a request that took long has ended. */
  readonly onLong?: (() => void) | undefined;
}

/** So long takes what leaves memory behind. */
const longMs = 1000;

/**
 * Answers HTTP requests on connections given to it; opens no socket itself. Every time-out is off: loads take long,
 * and Go clients keep idle connections.
 */
export class HttpServer {
  #http: Server;
  #options: HttpServerOptions;
  #connections = new Connections();
  #running = new Set<AbortController>();
  #settled = new Set<Promise<void>>();
  #leaving = new AbortController();
  #closing = new AbortController();

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#http = createServer({
      requestTimeout: 0,
      headersTimeout: 0,
      keepAliveTimeout: 0,
      // dockerode repeats the whole body of a create in the URL.
      maxHeaderSize: 1024 * 1024,
      requireHostHeader: false,
    });
    this.#http.on("request", (request, response) => this.#take(exchange(request, response)));
    this.#http.on("upgrade", (request, socket: Socket, head) => this.#take(upgradeExchange(request, socket, head)));
  }

  /** How many clients are connected. */
  get clients(): number {
    return this.#connections.count;
  }

  accept(socket: Socket): void {
    // Writing to a client that is gone fails; that it is gone is seen by its closing.
    socket.on("error", () => {});
    this.#connections.add(socket);
    this.#http.emit("connection", socket);
  }

  /** Ends endless streams and waits until every client has hung up. Requests still come in meanwhile. */
  async drain(): Promise<void> {
    this.#leaving.abort();
    await this.#connections.none();
  }

  /**
   * Lets running requests end, then aborts those that have not after `graceMs`, or when `now` fires. Idle connections
   * are closed at once. Resolves when every handler has returned.
   */
  async close(graceMs: number, now?: AbortSignal): Promise<void> {
    this.#leaving.abort();
    this.#closing.abort(shuttingDown);
    this.#connections.closeIdle();
    const timer = setTimeout(() => this.#abort(), graceMs);
    const hurry = () => this.#abort();
    now?.addEventListener("abort", hurry);
    if (now?.aborted) hurry();
    while (this.#settled.size > 0) await Promise.all(this.#settled);
    clearTimeout(timer);
    now?.removeEventListener("abort", hurry);
    this.#connections.destroyAll();
  }

  #abort(): void {
    for (const running of this.#running) running.abort(shuttingDown);
    // Who does not read its last words does not hold up the end.
    setTimeout(() => this.#connections.destroyAll(), 1000).unref();
  }

  #take(given: Exchange): void {
    given.response.on("error", () => {});
    const began = performance.now();
    const served = this.#serve(given)
      .catch((error) => this.#options.log.error("answer failed", { error: messageOf(error) }))
      .finally(() => {
        this.#settled.delete(served);
        if (performance.now() - began > longMs) this.#options.onLong?.();
      });
    this.#settled.add(served);
  }

  async #serve(given: Exchange): Promise<void> {
    const { request, response } = given;
    const abort = new AbortController();
    const over = this.#connections.begin(request.socket);
    this.#running.add(abort);
    response.once("close", () => {
      if (!response.writableFinished) abort.abort(new Cancelled("the client went away"));
      over();
    });
    const began = performance.now();
    const number = this.#options.failures.number();
    const headers = { ...this.#options.headers, [requestHeader]: number };
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    try {
      await this.#answer(given, abort.signal);
    } catch (error) {
      const why: unknown = abort.signal.aborted ? abort.signal.reason : error;
      this.#log(request, why);
      this.#options.failures.note(number, why);
      if (!response.headersSent && !response.destroyed) await send(errorAnswer(why), response, abort.signal);
    } finally {
      this.#running.delete(abort);
      // What nobody read of the body would block the next request on this connection.
      if (!request.complete) request.resume();
      const ms = Math.round(performance.now() - began);
      this.#options.log.debug("request", { method: request.method, url: request.url, status: response.statusCode, ms });
    }
  }

  async #answer(given: Exchange, signal: AbortSignal): Promise<void> {
    const { request, response } = given;
    const [whole = "", ...rest] = (request.url ?? "").split("?");
    const { path, version } = splitVersion(whole);
    const { handler, params } = this.#options.router.find(request.method ?? "", path);
    const query = rest.join("?");
    const [leaving, closing] = [this.#leaving.signal, this.#closing.signal];
    const answer = await handler(new Call(given, { params, query, version, signal, leaving, closing }));
    if (!answer.hijack) return await send(answer, response, signal);
    await hijack({ ...answer, hijack: answer.hijack }, given, AbortSignal.any([signal, closing]));
  }

  /** What the daemon could not do is an error; what it would not do, the client's affair. */
  #log({ method, url }: IncomingMessage, error: unknown): void {
    const { log } = this.#options;
    const about = { method, url, error: messageOf(error) };
    const stack = log.debugging && error instanceof Error ? error.stack : undefined;
    if (error instanceof Cancelled) log.info("request abandoned", about);
    else if (statusOf(error) === 500) log.error("request failed", { ...about, stack });
    else log.debug("request refused", about);
  }
}

const shuttingDown = new Unavailable("the daemon is shutting down");
