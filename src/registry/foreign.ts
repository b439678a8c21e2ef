import { NotFound } from "../spec/index.js";
import type { Answer, Request } from "./exchange.js";
import { failureOf } from "./failure.js";
import { followed } from "./follow.js";
import type { Shared } from "./shared.js";
import { httpURL } from "./url.js";

/**
 * The first of several addresses that has what is asked for; nobody is told who asks.
 *
 * @throws what the last one said; NotFound: there is none
 */
export async function fromElsewhere(
  shared: Shared,
  urls: readonly string[],
  request: Omit<Request, "url">,
): Promise<Answer> {
  let failure: unknown = new NotFound("no address that can be asked");
  for (const url of urls.map((each) => httpURL(each)).filter((each) => each !== undefined)) {
    try {
      const answer = await followed(shared, { ...request, url });
      if (answer.status < 300) return answer;
      failure = await failureOf(answer);
    } catch (error) {
      request.signal?.throwIfAborted();
      failure = error;
    }
  }
  throw failure;
}
