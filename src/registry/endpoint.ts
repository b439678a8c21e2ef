import { type Credentials, Unavailable } from "../spec/index.js";
import { abortable } from "./abortable.js";
import { Authorization } from "./authorization.js";
import { challengesIn } from "./challenge.js";
import { isNobodyThere } from "./connection-failure.js";
import type { Answer, Request } from "./exchange.js";
import { failureOf } from "./failure.js";
import { followed } from "./follow.js";
import { Attempts, Passing, persistently } from "./passing.js";
import type { Shared } from "./shared.js";

/** A request to a registry. */
export interface EndpointRequest extends Omit<Request, "url" | "body"> {
  /** Below the registry's address, or all of it as a `Location` gave it. */
  readonly to: string | URL;
  /** What a token has to be good for. */
  readonly scopes: readonly string[];
  /** Made anew for each try. */
  readonly body?: () => Uint8Array | AsyncIterable<Uint8Array>;
}

/** A registry that has been found to answer, and how it wants to be asked. */
export class Endpoint {
  readonly base: URL;
  readonly authorization: Authorization;
  readonly #shared: Shared;

  private constructor(base: URL, authorization: Authorization, shared: Shared) {
    this.base = base;
    this.authorization = authorization;
    this.#shared = shared;
  }

  /**
   * Asks a registry what it wants. One that need not be trusted is asked by https first, then in plain http.
   *
   * @throws Unavailable: nobody answers there
   */
  static async reach(bases: readonly URL[], shared: Shared, credentials?: Credentials): Promise<Endpoint> {
    const { base, answer } = await firstAnswer(bases, shared);
    // Who is asked in its place may not say where its credentials go.
    const challenges = answer.url.origin === base.origin ? challengesIn(answer.header("www-authenticate")) : [];
    await answer.discard();
    return new Endpoint(base, new Authorization(shared, base, challenges, credentials), shared);
  }

  /** One try, and one more where the registry no longer takes the token. @returns an answer of success */
  async once({ to, scopes, headers, body, ...request }: EndpointRequest): Promise<Answer> {
    const url = new URL(to, this.base);
    const isOurs = url.origin === this.base.origin;
    for (let renewed = false; ; renewed = true) {
      const who = isOurs ? await abortable(this.authorization.header(scopes), request.signal) : undefined;
      const answer = await followed(this.#shared, {
        ...request,
        ...{ url, headers: { ...headers, ...(who && { authorization: who }) } },
        ...(body && { body: body() }),
      });
      if (answer.status < 300) return answer;
      const challenges = challengesIn(answer.header("www-authenticate"));
      const failure = await failureOf(answer);
      if (answer.status !== 401 || !isOurs || renewed || answer.url.origin !== url.origin) throw failure;
      if (!(await this.authorization.isRenewed(who, challenges))) throw failure;
    }
  }

  /** The same as often as it may be tried. */
  async request(request: EndpointRequest): Promise<Answer> {
    return this.read(request, async (answer) => answer);
  }

  /** The same with what `read` makes of the answer: that may be cut too, and is then asked for again. */
  async read<T>(request: EndpointRequest, read: (answer: Answer) => Promise<T>): Promise<T> {
    return persistently(new Attempts(this.#shared, request), async () => read(await this.once(request)));
  }
}

async function firstAnswer(bases: readonly URL[], shared: Shared): Promise<{ base: URL; answer: Answer }> {
  const [base, ...others] = bases;
  if (base === undefined) throw new Unavailable("no registry to ask");
  const attempts = others.length > 0 ? 1 : shared.attempts;
  try {
    const answer = await persistently(new Attempts({ ...shared, attempts }), () => ping(base, shared));
    return { base, answer };
  } catch (error) {
    // An answer, though a bad one, is no reason to try plain http.
    const connected = error instanceof Error && error.cause === undefined;
    if (others.length === 0 || connected) throw error;
    return firstAnswer(others, shared);
  }
}

async function ping(base: URL, shared: Shared): Promise<Answer> {
  try {
    const answer = await followed(shared, { method: "GET", url: new URL("v2/", base) });
    if (answer.status < 400 || answer.status === 401) return answer;
    throw await failureOf(answer);
  } catch (error) {
    if (error instanceof Passing && isNobodyThere(error)) throw new Unavailable(error.message, { cause: error.cause });
    throw error;
  }
}
