import { type Credentials, Forbidden, Unauthorized } from "../spec/index.js";
import type { Answer } from "./exchange.js";
import { bytesOf, failureOf } from "./failure.js";
import { followed } from "./follow.js";
import { Attempts, persistently } from "./passing.js";
import type { Shared } from "./shared.js";
import { httpURL } from "./url.js";

/** A token, and what else the service gave. */
export interface Token {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly until: number;
  readonly refreshToken: string;
}

/** Where tokens come from, as a challenge names it. */
export interface TokenService {
  readonly realm: URL;
  readonly service: string;
}

/** Tokens are good for so long at least, whatever a service says: else each request would need one of its own. */
const shortestLifeMs = 60_000;
const largestToken = 1024 * 1024;

/**
 * Asks a token service: with GET, or as OAuth2 where there is an identity token.
 *
 * @param lasting whether a token is wanted that can take the place of the password
 * @throws Unauthorized: credentials refused, or wanted
 * @see distribution, docs/spec/auth/token.md and oauth.md
 */
export async function fetchToken(
  shared: Shared,
  { realm, service }: TokenService,
  scopes: readonly string[],
  credentials: Credentials = {},
  lasting = false,
): Promise<Token> {
  const since = shared.time.now();
  const ask = credentials.identitytoken
    ? () => askByOAuth(shared, realm, { service, scopes, identityToken: credentials.identitytoken! })
    : () => askByGet(shared, realm, { service, scopes, credentials, lasting });
  return await persistently(new Attempts(shared), async () => {
    const answer = await ask();
    if (answer.status >= 300) throw await failureOf(answer);
    return tokenIn(await bytesOf(answer, largestToken, `the token of ${realm.host}`), realm, since);
  });
}

interface Asked {
  readonly service: string;
  readonly scopes: readonly string[];
}

function askByGet(
  shared: Shared,
  realm: URL,
  asked: Asked & { readonly credentials: Credentials; readonly lasting: boolean },
): Promise<Answer> {
  const { username = "", password = "" } = asked.credentials;
  const url = new URL(realm);
  if (asked.service !== "") url.searchParams.append("service", asked.service);
  for (const scope of asked.scopes) url.searchParams.append("scope", scope);
  if (asked.lasting) url.searchParams.append("offline_token", "true");
  if (asked.lasting) url.searchParams.append("client_id", "layerkit");
  if (username === "") return followed(shared, { method: "GET", url });
  url.searchParams.append("account", username);
  return followed(shared, { method: "GET", url, headers: { authorization: basic(username, password) } });
}

function askByOAuth(shared: Shared, realm: URL, asked: Asked & { readonly identityToken: string }): Promise<Answer> {
  const form = new URLSearchParams({ grant_type: "refresh_token", service: asked.service, client_id: "layerkit" });
  form.append("scope", asked.scopes.join(" "));
  form.append("refresh_token", asked.identityToken);
  return followed(shared, {
    method: "POST",
    url: realm,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: Buffer.from(form.toString()),
  });
}

function tokenIn(bytes: Uint8Array, realm: URL, since: number): Token {
  const none = (cause?: unknown) => new Unauthorized(`${realm.host} gave no token for this registry`, { cause });
  try {
    const given = JSON.parse(Buffer.from(bytes).toString()) as Readonly<Record<string, unknown>>;
    const token = given.token || given.access_token;
    if (typeof token !== "string" || /[^\x21-\x7e]/.test(token)) throw none();
    const lifeMs = typeof given.expires_in === "number" ? given.expires_in * 1000 : 0;
    const refreshToken = typeof given.refresh_token === "string" ? given.refresh_token : "";
    return { token, until: since + Math.max(lifeMs, shortestLifeMs), refreshToken };
  } catch (error) {
    throw error instanceof Unauthorized ? error : none(error);
  }
}

/** The token service a challenge names. @throws Unauthorized: none; Forbidden: credentials would go there in plain text */
export async function tokenServiceOf(
  parameters: Readonly<Record<string, string>>,
  registry: URL,
  secret: boolean,
  shared: Shared,
): Promise<TokenService> {
  const realm = httpURL(parameters.realm ?? "");
  if (realm === undefined) {
    throw new Unauthorized(`${registry.host} names no token service: ${JSON.stringify(parameters.realm ?? "")}`);
  }
  if (
    secret &&
    registry.protocol === "https:" &&
    realm.protocol === "http:" &&
    !(await shared.insecure.includes(realm.host))
  ) {
    const what = `${registry.host} wants credentials sent to ${realm.origin}, in plain text`;
    throw new Forbidden(`${what}: add ${realm.host} to insecure-registries to allow it`);
  }
  return { realm, service: parameters.service ?? "" };
}

export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
