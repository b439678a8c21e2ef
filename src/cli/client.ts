import { once } from "node:events";
import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
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
 * Speaks to a daemon over connections that stay open until disposed: one that ends with another command takes no new
 * ones, and waits for those it has. Over one, requests follow one another; the body of one has to be read before the
 * next.
 */
export class Client implements Disposable {
  #agent: Agent;
  #socketPath: string;
  #signal: AbortSignal;

  private constructor(socketPath: string, signal: AbortSignal, connections: number) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.#socketPath = socketPath;
    this.#signal = signal;
  }

  /**
   * @param connections how many requests there may be at once
   * @returns undefined when nobody answers there: no daemon, or one that is just leaving
   */
  static async connect(socketPath: string, signal: AbortSignal, connections = 1): Promise<Client | undefined> {
    const client = new Client(socketPath, signal, connections);
    const ping = async () => (await client.send("GET", "/_ping")).text();
    try {
      await Promise.all(Array.from({ length: connections }, ping));
      return client;
    } catch (error) {
      client[Symbol.dispose]();
      if (isErrno(error, "ECONNREFUSED", "ECONNRESET", "ENOENT", "EPIPE")) return undefined;
      throw error;
    }
  }

  /** @throws ServerError: any status from 400 on, with the daemon's message */
  async send(method: string, path: string, options: Send = {}): Promise<Reply> {
    const outgoing = this.#request(method, path, options);
    const answered = once(outgoing, "response") as Promise<[IncomingMessage]>;
    if (options.body) upload(options.body, outgoing);
    else outgoing.end(textOf(options));
    const [incoming] = await answered;
    return await this.#checked(outgoing, incoming);
  }

  /**
   * Takes one of the connections for a process: what is read is its output, what is written its input.
   *
   * @throws ServerError: refused
   */
  async hijack(path: string, options: Send = {}): Promise<Socket> {
    const headers = { Connection: "Upgrade", Upgrade: "tcp" };
    const outgoing = this.#request("POST", path, { ...options, headers });
    const [incoming, socket, head] = await new Promise<[IncomingMessage, Socket?, Buffer?]>((resolve, reject) => {
      outgoing.once("upgrade", (...given) => resolve(given)).once("response", (response) => resolve([response]));
      outgoing.once("error", reject).end(textOf(options));
    });
    if (socket === undefined) {
      const { status } = await this.#checked(outgoing, incoming);
      throw new Error(`the daemon does not hand over the connection: it answers ${status}`);
    }
    if (head && head.length > 0) socket.unshift(head);
    return socket;
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

  #request(method: string, path: string, { query = {}, headers, json }: Send): ClientRequest {
    return request({
      socketPath: this.#socketPath,
      agent: this.#agent,
      method,
      path: `${path}${queryText(query)}`,
      headers: { Host: "layerkit", ...(json !== undefined && { "Content-Type": "application/json" }), ...headers },
      signal: this.#signal,
    });
  }

  async #checked(outgoing: ClientRequest, incoming: IncomingMessage): Promise<Reply> {
    const reply = new Reply(incoming, this.#bodyOf(incoming));
    if (reply.status < 400) return reply;
    const message = messageIn(await reply.text(), reply.status);
    outgoing.destroy();
    throw new ServerError(reply.status, message);
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

function textOf({ json }: Send): string | undefined {
  return json === undefined ? undefined : JSON.stringify(json);
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
