import { type IncomingMessage, request } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface Call {
  readonly method?: string;
  /** JSON, or a tar: its bytes or a stream of them. */
  readonly body?: object | Buffer | Readable;
  readonly headers?: Readonly<Record<string, string>>;
  /** Hangs up. */
  readonly signal?: AbortSignal;
  /** Where the answer goes; read into memory without it. */
  readonly to?: NodeJS.WritableStream;
}

/** The engine answered that it will not, or could not; the message is its own. */
export class Refused extends Error {
  /** 200 when the failure came as a message in a stream that had begun. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** One request to a Docker Engine API. @returns the answer's text @throws Refused; the error of a lost connection */
export async function call(socketPath: string, path: string, options: Call = {}): Promise<string> {
  const { method = "GET", to, headers, signal } = options;
  const body = options.body instanceof Buffer ? Readable.from([options.body]) : options.body;
  const isTar = body instanceof Readable;
  const type = isTar ? "application/x-tar" : "application/json";
  const all = { ...(body && { "Content-Type": type }), ...headers };
  const sent = request({ socketPath, path, method, headers: all, ...(signal && { signal }) });
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once("response", resolve).on("error", reject);
  });
  // An engine may answer before it has read everything, and hang up.
  if (isTar) pipeline(body, sent).catch(() => {});
  else sent.end(body && JSON.stringify(body));
  const response = await answer;
  if (to !== undefined && response.statusCode === 200) {
    await pipeline(response, to);
    return "";
  }
  return checked(response.statusCode ?? 500, await textOf(response));
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function checked(status: number, text: string): string {
  if (status >= 400) throw new Refused(status, (JSON.parse(text) as { message: string }).message);
  const failed = text.split("\n").find((line) => line.includes('"errorDetail"'));
  if (failed !== undefined) throw new Refused(status, (JSON.parse(failed) as { error: string }).error);
  return text;
}
