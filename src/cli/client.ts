import { once } from "node:events";
import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isErrno, messageOf } from "../spec/index.js";

type Value = string | number | boolean | readonly string[] | undefined;

/** Parameters of a request: true is 1, false and undefined are left out, a list is repeated. */
export type Query = Readonly<Record<string, Value>>;

export interface Send {
  readonly query?: Query;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is, at the pace the daemon takes it. */
  readonly body?: AsyncIterable<Uint8Array>;
}

/** The daemon refused, or could not do, what was asked. */
export class ServerError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Speaks to a daemon over one connection, which stays open until disposed: a daemon that ends with another command
 * waits for it. Requests follow one another; the body of one has to be read before the next.
 */
export class Client implements Disposable {
  #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #socketPath: string;
  #signal: AbortSignal;

  private constructor(socketPath: string, signal: AbortSignal) {
    this.#socketPath = socketPath;
    this.#signal = signal;
  }

  /** @returns undefined when nobody answers there: no daemon, or one that is just leaving */
  static async connect(socketPath: string, signal: AbortSignal): Promise<Client | undefined> {
    const client = new Client(socketPath, signal);
    try {
      await (await client.send("GET", "/_ping")).text();
      return client;
    } catch (error) {
      client[Symbol.dispose]();
      if (isErrno(error, "ECONNREFUSED", "ECONNRESET", "ENOENT", "EPIPE")) return undefined;
      throw error;
    }
  }

  /** @throws ServerError: any status from 400 on, with the daemon's message */
  async send(method: string, path: string, { query = {}, headers, json, body }: Send = {}): Promise<Reply> {
    const outgoing = request({
      socketPath: this.#socketPath,
      agent: this.#agent,
      method,
      path: `${path}${queryText(query)}`,
      headers: { Host: "layerkit", ...(json !== undefined && { "Content-Type": "application/json" }), ...headers },
      signal: this.#signal,
    });
    const answered = once(outgoing, "response") as Promise<[IncomingMessage]>;
    if (body) upload(body, outgoing);
    else outgoing.end(json === undefined ? undefined : JSON.stringify(json));
    const [incoming] = await answered;
    const reply = new Reply(incoming, this.#bodyOf(incoming));
    if (reply.status >= 400) {
      const message = messageIn(await reply.text(), reply.status);
      outgoing.destroy();
      throw new ServerError(reply.status, message);
    }
    return reply;
  }

  async get<T>(path: string, query: Query = {}): Promise<T> {
    return await (await this.send("GET", path, { query })).json<T>();
  }

  async post<T>(path: string, options: Send = {}): Promise<T> {
    return await (await this.send("POST", path, options)).json<T>();
  }

  /** For requests whose answer says nothing but that it is done. */
  async tell(method: string, path: string, options: Send = {}): Promise<void> {
    await (await this.send(method, path, options)).text();
  }

  async delete<T>(path: string, query: Query = {}): Promise<T> {
    return await (await this.send("DELETE", path, { query })).json<T>();
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async *#bodyOf(incoming: IncomingMessage): AsyncIterable<Uint8Array> {
    try {
      yield* incoming;
    } catch (error) {
      if (this.#signal.aborted || !isErrno(error, "ECONNRESET")) throw error;
      throw new Error(await this.#whyCut(incoming), { cause: error });
    }
  }

  /** An answer of bytes that ends early cannot say why: the daemon is asked. */
  async #whyCut({ headers }: IncomingMessage): Promise<string> {
    try {
      return (await this.get<{ message: string }>(`/layerkit/failures/${headers["layerkit-request"]}`)).message;
    } catch {
      return "the daemon ended its answer early; its log may say why";
    }
  }
}

/** An answer. Its body is read once, by one of the methods. */
export class Reply {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: AsyncIterable<Uint8Array>;

  constructor({ statusCode = 0, headers }: IncomingMessage, body: AsyncIterable<Uint8Array>) {
    this.status = statusCode;
    this.headers = headers;
    this.body = body;
  }

  async text(): Promise<string> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.body) chunks.push(chunk);
    return Buffer.concat(chunks).toString("utf8");
  }

  /** The body's JSON value; of an empty body, undefined. */
  async json<T>(): Promise<T> {
    const text = await this.text();
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  /** JSON values, one a line, as they come. */
  async *lines<T>(): AsyncIterable<T> {
    for await (const line of this.texts()) yield JSON.parse(line);
  }

  /** Lines that are not empty, as they come. */
  async *texts(): AsyncIterable<string> {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of this.body) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line.trim() !== "") yield line.trimEnd();
    }
    if (rest.trim() !== "") yield rest;
  }
}

/** A name as part of a request path: slashes and colons of image names stay. */
export function pathPart(name: string): string {
  return name
    .split("/")
    .map((part) => encodeURIComponent(part).replaceAll("%3A", ":").replaceAll("%40", "@"))
    .join("/");
}

/** Not waited for: a failure destroys the request, which then fails with it, and an answer may come before the end. */
function upload(body: AsyncIterable<Uint8Array>, outgoing: ClientRequest): void {
  const source = Readable.from(body, { objectMode: false });
  // Before pipeline, which only hangs up and says nothing of why.
  source.once("error", (error) => outgoing.destroy(error));
  pipeline(source, outgoing).catch(() => {});
}

function messageIn(body: string, status: number): string {
  try {
    return (JSON.parse(body) as { message: string }).message;
  } catch (error) {
    return body.trim() || `the daemon answered ${status} and gave no reason (${messageOf(error)})`;
  }
}

function queryText(query: Query): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    const values = Array.isArray(value) ? (value as readonly string[]) : [value as Exclude<Value, readonly string[]>];
    for (const each of values)
      if (each !== undefined && each !== false) params.append(key, String(each === true ? 1 : each));
  }
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}
