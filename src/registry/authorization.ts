import { type Credentials, Unauthorized } from "../spec/index.js";
import type { Challenge } from "./challenge.js";
import type { Shared } from "./shared.js";
import { basic, fetchToken, type Token, tokenServiceOf } from "./tokens.js";

/** Tokens are renewed this long before they end, so that a request under way is not refused. */
const marginMs = 10_000;

/** Says to one registry who asks, in the way it wants that said. */
export class Authorization {
  readonly #shared: Shared;
  readonly #registry: URL;
  readonly #credentials: Credentials | undefined;
  readonly #tokens = new Map<string, Promise<Token>>();
  #challenges: readonly Challenge[];

  /** @param challenges what the registry wants; nothing when empty */
  constructor(shared: Shared, registry: URL, challenges: readonly Challenge[], credentials: Credentials | undefined) {
    this.#shared = shared;
    this.#registry = registry;
    this.#challenges = challenges;
    this.#credentials = credentials;
  }

  /**
   * The `Authorization` header of a request; undefined where none is wanted.
   *
   * @param scopes `repository:NAME:pull`: what a token has to be good for
   * @throws Unauthorized: nothing to say, or the token service refuses
   */
  async header(scopes: readonly string[]): Promise<string | undefined> {
    const wanted = this.#wanted();
    if (wanted === undefined) return undefined;
    if (wanted.scheme === "bearer") {
      return `Bearer ${this.#credentials?.registrytoken || (await this.#token(wanted, scopes)).token}`;
    }
    const { username = "", password = "" } = this.#credentials ?? {};
    if (username === "") throw new Unauthorized("no basic auth credentials");
    return basic(username, password);
  }

  /** The registry did not take `header`. @returns whether it may take another one */
  async isRenewed(header: string | undefined, challenges: readonly Challenge[]): Promise<boolean> {
    const before = this.#wanted()?.scheme;
    if (challenges.length > 0) this.#challenges = challenges;
    const now = this.#wanted()?.scheme;
    for (const [scopes, fetched] of this.#tokens) {
      const token = await fetched.catch(() => undefined);
      if (header === `Bearer ${token?.token}` && this.#tokens.get(scopes) === fetched) this.#tokens.delete(scopes);
    }
    return now !== undefined && (now !== before || (now === "bearer" && !this.#credentials?.registrytoken));
  }

  #wanted(): Challenge | undefined {
    const known = this.#challenges.filter(({ scheme }) => scheme === "bearer" || scheme === "basic");
    return known.find(({ scheme }) => scheme === "bearer") ?? known[0];
  }

  /** One request at a time for the same scopes, however many ask. */
  async #token(challenge: Challenge, scopes: readonly string[]): Promise<Token> {
    const key = scopes.join(" ");
    const known = this.#tokens.get(key);
    if (known && (await known).until - marginMs > this.#shared.time.now()) return known;
    if (this.#tokens.get(key) === known) {
      const fresh = this.#fetch(challenge, scopes);
      this.#tokens.set(key, fresh);
      fresh.catch(() => this.#tokens.delete(key));
    }
    return this.#tokens.get(key) ?? this.#token(challenge, scopes);
  }

  async #fetch({ parameters }: Challenge, scopes: readonly string[], lasting = false): Promise<Token> {
    const { username = "", identitytoken = "" } = this.#credentials ?? {};
    const secret = username !== "" || identitytoken !== "";
    const service = await tokenServiceOf(parameters, this.#registry, secret, this.#shared);
    return await fetchToken(this.#shared, service, scopes, this.#credentials, lasting);
  }

  /** A header for credentials that are to be tried out, and a token to keep in their place, if there is one. */
  async login(): Promise<{ readonly header: string | undefined; readonly identityToken: string }> {
    const wanted = this.#wanted();
    if (wanted?.scheme !== "bearer") return { header: await this.header([]), identityToken: "" };
    const { token, refreshToken } = await this.#fetch(wanted, [], true);
    return { header: `Bearer ${token}`, identityToken: refreshToken };
  }
}
