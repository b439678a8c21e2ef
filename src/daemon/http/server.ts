import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Cancelled, messageOf, Unavailable } from "../../spec/index.js";
import type { Log } from "../log.js";
import { Call, type Handler } from "./call.js";
import { Connections } from "./connections.js";
import { type Failures, requestHeader } from "./failures.js";
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
}

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
    this.#http.on("request", (request, response) => {
      // Writing to a client that is gone fails; that it is gone is seen by its closing.
      response.on("error", () => {});
      const served = this.#serve(request, response)
        .catch((error) => options.log.error("answer failed", { error: messageOf(error) }))
        .finally(() => this.#settled.delete(served));
      this.#settled.add(served);
    });
  }

  /** How many clients are connected. */
  get clients(): number {
    return this.#connections.count;
  }

  accept(socket: Socket): void {
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
    for (const running of this.#running) running.abort(new Unavailable("the daemon is shutting down"));
    // Who does not read its last words does not hold up the end.
    setTimeout(() => this.#connections.destroyAll(), 1000).unref();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
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
      await this.#answer(request, response, abort.signal);
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

  async #answer(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const [whole = "", ...rest] = (request.url ?? "").split("?");
    const { path, version } = splitVersion(whole);
    const { handler, params } = this.#options.router.find(request.method ?? "", path);
    const query = rest.join("?");
    const call = new Call(request, { params, query, version, signal, leaving: this.#leaving.signal });
    await send(await handler(call), response, signal);
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
