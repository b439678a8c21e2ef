import { InvalidParameter } from "../../spec/index.js";
import type { Answer } from "./answer.js";
import { readJSON } from "./body.js";
import type { Exchange } from "./exchange.js";
import { Query } from "./query.js";
import type { Params } from "./router.js";
import type { Shape } from "./shape.js";

interface Route {
  readonly params: Params;
  /** Without its question mark. */
  readonly query: string;
  readonly version: number;
  readonly signal: AbortSignal;
  readonly leaving: AbortSignal;
  readonly closing: AbortSignal;
}

/** One request, with what a handler needs of it. */
export class Call {
  readonly query: Query;
  /** The N of API version 1.N that the client speaks. */
  readonly version: number;
  /** Fires when the client goes away before it has its answer, or when the daemon has to stop. */
  readonly signal: AbortSignal;
  /** Fires when the daemon begins to leave: streams that have no end of their own end now. */
  readonly leaving: AbortSignal;
  /** Fires when it closes, whoever is connected: what waits for a container must not hold it up. */
  readonly closing: AbortSignal;
  #exchange: Exchange;
  #params: Params;

  constructor(exchange: Exchange, route: Route) {
    this.#exchange = exchange;
    this.#params = route.params;
    this.query = new Query(route.query);
    this.version = route.version;
    this.signal = route.signal;
    this.leaving = route.leaving;
    this.closing = route.closing;
  }

  /** A name of the route's pattern. */
  param(name: string): string {
    const value = this.#params[name];
    if (value === undefined) throw new Error(`the route has no {${name}}`);
    return value;
  }

  /** @throws InvalidParameter: absent */
  required(name: string): string {
    const value = this.query.text(name);
    if (value === undefined) throw new InvalidParameter(`missing parameter "${name}"`);
    return value;
  }

  header(name: string): string | undefined {
    const value = this.#exchange.request.headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(",") : value;
  }

  /** @see readJSON */
  json<T>(shape: Shape<T>): Promise<T | undefined> {
    return readJSON(this.body, this.#exchange.request.headers, shape);
  }

  /** The body in pieces, as they come from the client. Not reading holds the client back. */
  get body(): AsyncIterable<Uint8Array> {
    return this.#exchange.body;
  }
}

/** Serves one endpoint. What it throws becomes an error answer. */
export type Handler = (call: Call) => Answer | Promise<Answer>;
