import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { InvalidParameter, messageOf } from "../../spec/index.js";
import type { Shape } from "./shape.js";

/** Most bytes of a JSON body: dockerd has no limit, a container's config is some kilobytes. */
const limit = 16 * 1024 * 1024;

/**
 * The JSON body of a request.
 *
 * @returns undefined when the body is empty, or `null`
 * @throws InvalidParameter: wrong Content-Type, not JSON, not of this shape, more than 16 MiB
 */
export async function readJSON<T>(
  body: AsyncIterable<Uint8Array>,
  headers: IncomingHttpHeaders,
  shape: Shape<T>,
): Promise<T | undefined> {
  const text = await readText(body);
  if (text === "") return undefined;
  const type = headers["content-type"] ?? "";
  if (!/^application\/json\s*(;|$)/i.test(type))
    throw new InvalidParameter(`Content-Type specified (${type}) must be 'application/json'`);
  const value = parse(text);
  return value === null ? undefined : shape(value, "");
}

/**
 * The body of a request in pieces. Whoever stops reading early leaves the connection open, so that the client still
 * gets its answer.
 */
export function bodyOf(request: IncomingMessage): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => request.iterator({ destroyOnReturn: false }) };
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw new InvalidParameter(`request body is too long: JSON may have ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidParameter(`invalid JSON in request body: ${messageOf(error)}`);
  }
}
