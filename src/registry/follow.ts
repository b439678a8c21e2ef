import { Unavailable } from "../spec/index.js";
import type { Answer, Request } from "./exchange.js";
import type { Shared } from "./shared.js";
import { httpURL } from "./url.js";

const redirections: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const most = 10;

/**
 * One request, to wherever it is sent on. What says who asks goes to the host that was meant, and to no other; from
 * https it leads to plain http only where that is allowed. Requests with a body are not sent on.
 *
 * @throws as Connections.exchange does; Unavailable: too many redirects
 */
export async function followed({ connections, insecure }: Shared, request: Request): Promise<Answer> {
  let { url, headers } = request;
  for (let hops = 0; ; hops++) {
    const answer = await connections.exchange(
      { ...request, url, ...(headers && { headers }) },
      await insecure.includes(url.host),
    );
    const next = redirections.has(answer.status) ? locationOf(answer) : undefined;
    if (next === undefined || request.body !== undefined || !isKept(request, answer)) return answer;
    await answer.discard();
    const refuse = (why: string) =>
      new Unavailable(`${request.method} ${request.url.origin}${request.url.pathname}: ${why}`);
    if (hops >= most) throw refuse(`stopped after ${most} redirects`);
    if (url.protocol === "https:" && next.protocol !== "https:" && !(await insecure.includes(next.host))) {
      throw refuse(`redirected from https to ${next.origin}, which is not encrypted`);
    }
    if (next.origin !== url.origin) headers = withoutCredentials(headers);
    url = next;
  }
}

/** Whether the redirect means the same request, and not another one with GET. */
function isKept({ method }: Request, { status }: Answer): boolean {
  return method === "GET" || method === "HEAD" || status === 307 || status === 308;
}

/** Where an answer sends one to; undefined when nowhere one can go. */
export function locationOf(answer: Answer): URL | undefined {
  const location = answer.header("location");
  return location === undefined ? undefined : httpURL(location, answer.url);
}

function withoutCredentials(headers: Request["headers"]): Request["headers"] {
  const { authorization: _, ...others } = headers ?? {};
  return others;
}
