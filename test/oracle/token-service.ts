import { createSign, randomUUID, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Certificate } from "./certificate.js";

/** The one user that registries and token services of the tests know. */
export const user = { username: "layerkit", password: "secret" } as const;
/** What the service gives in place of a password, and takes. */
export const refreshToken = "a-refresh-token";

/** What a client asked the service for. */
export interface TokenRequest {
  readonly method: string;
  readonly scopes: readonly string[];
  /** Who asked: a user, `refresh` by a token, or nobody. */
  readonly who: string;
}

/**
 * A token service as Docker's registry wants one: bearer tokens, signed, by GET with basic credentials and by POST as
 * OAuth2. Nobody may read `public/…`; the user everything.
 *
 * @see distribution, docs/spec/auth
 */
export class TokenService implements AsyncDisposable {
  readonly requests: TokenRequest[] = [];
  /** How long tokens are said to be good. They are good for an hour in truth. */
  expiresIn: number | undefined = 300;
  readonly #certificate: Certificate;
  readonly #server: Server;

  private constructor(certificate: Certificate, server: Server) {
    this.#certificate = certificate;
    this.#server = server;
  }

  static async start(certificate: Certificate): Promise<TokenService> {
    const server = createServer();
    const service = new TokenService(certificate, server);
    server.on("request", (request: IncomingMessage, response) => {
      void service.#answer(request).then(([status, body]) => {
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return service;
  }

  get realm(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/token`;
  }

  async #answer(request: IncomingMessage): Promise<[status: number, body: unknown]> {
    const form = request.method === "POST";
    const asked = form
      ? new URLSearchParams(await textOf(request))
      : new URL(request.url ?? "", "http://x").searchParams;
    const who = form ? whoAsksByForm(asked) : whoAsks(request.headers.authorization);
    const scopes = asked.getAll("scope").flatMap((scope) => scope.split(" "));
    this.requests.push({ method: request.method ?? "", scopes, who: who ?? "refused" });
    if (who === undefined) return [401, { details: "incorrect username or password" }];
    const token = this.#token(who, asked.get("service") ?? "", scopes);
    const offline = form || asked.get("offline_token") === "true" ? { refresh_token: refreshToken } : {};
    return [200, { ...(form ? { access_token: token } : { token }), expires_in: this.expiresIn, ...offline }];
  }

  #token(who: string, audience: string, scopes: readonly string[]): string {
    const now = Math.floor(Date.now() / 1000);
    const access = scopes.flatMap((scope) => {
      const [type = "", name = "", actions = ""] = scope.split(":");
      const allowed = actions
        .split(",")
        .filter((action) => who !== "" || (name.startsWith("public/") && action === "pull"));
      return [{ type, name, actions: allowed }];
    });
    const times = { iat: now, nbf: now - 10, exp: now + 3600 };
    const claims = { iss: "layerkit test", sub: who, aud: audience, jti: randomUUID(), ...times, access };
    const chain = [new X509Certificate(this.#certificate.cert).raw.toString("base64")];
    const signed = [{ typ: "JWT", alg: "ES256", x5c: chain }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    const key = { key: this.#certificate.key, dsaEncoding: "ieee-p1363" } as const;
    return `${signed}.${createSign("sha256").update(signed).sign(key).toString("base64url")}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** "" for nobody, undefined for somebody who is not known. */
function whoAsks(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return "";
  const given = Buffer.from(authorization.replace(/^Basic /, ""), "base64").toString();
  return given === `${user.username}:${user.password}` ? user.username : undefined;
}

function whoAsksByForm(form: URLSearchParams): string | undefined {
  if (form.get("grant_type") === "refresh_token")
    return form.get("refresh_token") === refreshToken ? "refresh" : undefined;
  return form.get("username") === user.username && form.get("password") === user.password ? user.username : undefined;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += (chunk as Buffer).toString();
  return text;
}
