import { Readable } from "node:stream";
import type { SecureContext } from "node:tls";
import type { Dispatcher } from "undici";
import { connectionFailure } from "./connection-failure.js";
import type { Answer, Request } from "./exchange.js";
import { noTrust, ownTrust, systemTrust } from "./trust.js";

export interface ConnectionOptions {
  readonly userAgent: string;
  readonly silenceMs: number;
  readonly certificates: string;
}

/** A registry may take its time for the digest of what was brought, before it answers. */
const patienceForUploads = 10;

/** Connections to any hosts, kept for the next request. */
export class Connections {
  readonly #options: ConnectionOptions;
  readonly #dispatchers = new Map<string, Promise<Dispatcher>>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /**
   * One exchange, whatever its status: no redirect is followed, nothing tried again.
   *
   * @param insecure any certificate will do
   * @throws Passing, Unavailable: no connection, or it was cut, or nothing came for too long
   */
  async exchange(request: Request, insecure: boolean): Promise<Answer> {
    const { method, url, headers, body, signal } = request;
    const { silenceMs, userAgent } = this.#options;
    const dispatcher = await this.#dispatcherFor(url, insecure);
    try {
      const response = await dispatcher.request({
        method,
        origin: url.origin,
        path: url.pathname + url.search,
        headers: { "user-agent": userAgent, "accept-encoding": "identity", ...headers },
        body: body === undefined || body instanceof Uint8Array ? (body ?? null) : Readable.from(body),
        bodyTimeout: silenceMs,
        headersTimeout: body === undefined ? silenceMs : silenceMs * patienceForUploads,
        signal: signal ?? null,
      });
      return answerOf(request, response);
    } catch (error) {
      throw connectionFailure(error, request);
    }
  }

  #dispatcherFor({ protocol, host }: URL, insecure: boolean): Promise<Dispatcher> {
    if (protocol === "http:") return this.#kept("plain", () => newDispatcher({}, this.#options));
    const kind = insecure ? "unchecked" : "checked";
    const make = (secureContext: SecureContext) =>
      newDispatcher({ secureContext, rejectUnauthorized: !insecure }, this.#options);
    return this.#kept(`${kind} ${host}`, async () => {
      const own = await ownTrust(host, this.#options.certificates);
      return own ? make(own) : this.#kept(kind, async () => make(insecure ? noTrust() : await systemTrust()));
    });
  }

  #kept(key: string, make: () => Promise<Dispatcher>): Promise<Dispatcher> {
    const known = this.#dispatchers.get(key);
    if (known) return known;
    const made = make();
    this.#dispatchers.set(key, made);
    made.catch(() => this.#dispatchers.delete(key));
    return made;
  }

  /** Ends all of them; requests that run fail. */
  async close(): Promise<void> {
    for (const dispatcher of this.#dispatchers.values()) await (await dispatcher).destroy();
    this.#dispatchers.clear();
  }
}

interface TLSTrust {
  readonly secureContext?: SecureContext;
  readonly rejectUnauthorized?: boolean;
}

const longestConnectMs = 30_000;

/** undici is loaded when the first request is made: most commands make none. */
async function newDispatcher(tls: TLSTrust, { silenceMs }: ConnectionOptions): Promise<Dispatcher> {
  const { Agent, EnvHttpProxyAgent } = await import("undici");
  const connect = { ...tls, timeout: Math.min(silenceMs, longestConnectMs) };
  if (!hasProxy()) return new Agent({ connect });
  const noProxy = [process.env.no_proxy ?? process.env.NO_PROXY ?? "", "localhost", "127.0.0.1", "[::1]"].join(",");
  return new EnvHttpProxyAgent({ connect, requestTls: connect, noProxy });
}

/** Whether this machine reaches others by a proxy. Loopback is never behind one. */
function hasProxy(): boolean {
  return ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"].some((name) => process.env[name]);
}

function answerOf(request: Request, { statusCode, headers, body }: Dispatcher.ResponseData): Answer {
  return {
    status: statusCode,
    url: request.url,
    header(name) {
      const value = headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    async *body() {
      try {
        yield* body as AsyncIterable<Uint8Array>;
      } catch (error) {
        throw connectionFailure(error, request);
      }
    },
    discard: () => body.dump({ limit: 64 * 1024 }).catch(() => {}),
  };
}
