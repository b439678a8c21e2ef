import { request } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface Call {
  readonly method?: string;
  /** JSON, or a stream of a tar. */
  readonly body?: object | Readable;
  /** Where the answer goes; read into memory without it. */
  readonly to?: NodeJS.WritableStream;
}

/** One request to a Docker Engine API. @returns the answer's text @throws for a status of 400 and more */
export async function call(socketPath: string, path: string, { method = "GET", body, to }: Call = {}): Promise<string> {
  const isStream = body !== undefined && "pipe" in body;
  const type = isStream ? "application/x-tar" : "application/json";
  const sent = request({ socketPath, path, method, headers: body ? { "Content-Type": type } : {} });
  const answer = new Promise<import("node:http").IncomingMessage>((resolve, reject) =>
    sent.once("response", resolve).once("error", reject),
  );
  if (isStream) await pipeline(body, sent);
  else sent.end(body && JSON.stringify(body));
  const response = await answer;
  if (to !== undefined && response.statusCode === 200) {
    await pipeline(response, to);
    return "";
  }
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  if ((response.statusCode ?? 500) >= 400) throw new Error(`${method} ${path}: ${response.statusCode} ${text}`);
  if (text.includes('"errorDetail"')) throw new Error(`${method} ${path}: ${text.slice(-500)}`);
  return text;
}
