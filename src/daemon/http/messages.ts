import { goJSON, messageOf } from "../../spec/index.js";
import { type Answer, jsonType } from "./answer.js";

/**
 * A stream of JSON messages, one a line, each sent as it comes: the answer of load, import and pull. A failure after
 * the first message ends the stream with `errorDetail` (which the docker command acts on) and `error` (which older
 * clients read). A failure before it is an HTTP error, unless `atOnce`.
 *
 * @see engine-api 2.3
 */
export function messages(source: AsyncIterable<object>, { atOnce = false } = {}): Answer {
  return {
    status: 200,
    headers: { "Content-Type": jsonType },
    stream: lines(source, "\r\n"),
    atOnce,
    lastWords: (error) => `${goJSON(errorMessage(error))}\r\n`,
  };
}

/** A stream of JSON objects that may stay silent for long, so that its headers go out at once: events. */
export function feed(source: AsyncIterable<object>): Answer {
  return { status: 200, headers: { "Content-Type": jsonType }, stream: lines(source, "\n"), atOnce: true };
}

async function* lines(source: AsyncIterable<object>, end: string): AsyncIterable<string> {
  for await (const item of source) yield `${goJSON(item)}${end}`;
}

function errorMessage(error: unknown) {
  const message = messageOf(error);
  return { errorDetail: { message }, error: message };
}
