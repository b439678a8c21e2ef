import { DataLoss, Forbidden, InvalidParameter, NotFound, Unauthorized, Unavailable } from "../spec/index.js";
import { challengesIn } from "./challenge.js";
import type { Answer } from "./exchange.js";
import { Passing } from "./passing.js";

/** As much of an answer's text is looked at when it is an error. */
const mostOfError = 64 * 1024;
const passingStatuses: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/**
 * What an answer that is no success says, in Docker's words: `code: message` of the registry's first error. Reads, or
 * discards, the body.
 */
export async function failureOf(answer: Answer): Promise<Error> {
  const text = await shortText(answer);
  const said = refusalIn(answer) ?? errorIn(text) ?? plainly(answer, text);
  const { status } = answer;
  if (passingStatuses.has(status)) return new Passing(said, { afterMs: afterOf(answer) });
  if (status === 403 || said.startsWith("denied:")) return new Forbidden(said);
  if (status === 401) return new Unauthorized(said);
  if (status === 404) return new NotFound(said);
  return status < 500 ? new InvalidParameter(said) : new Unavailable(said);
}

async function shortText(answer: Answer): Promise<string> {
  try {
    return Buffer.from(await bytesOf(answer, mostOfError, "error")).toString();
  } catch {
    return "";
  }
}

/** The whole body of an answer. @throws DataLoss: more than `limit` bytes; it is not read on then */
export async function bytesOf(answer: Answer, limit: number, what: string): Promise<Uint8Array> {
  const tooLarge = (size: number | string) => new DataLoss(`${what} has ${size} bytes; ${limit} are allowed`);
  const announced = Number(answer.header("content-length") ?? 0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body()) {
    size += chunk.length;
    if (announced > limit || size > limit) throw tooLarge(announced > limit ? announced : `more than ${limit}`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A token that is good, but not for this. @see RFC 6750, section 3.1 */
function refusalIn(answer: Answer): string | undefined {
  const challenges = answer.status === 401 ? challengesIn(answer.header("www-authenticate")) : [];
  return challenges.some(({ parameters }) => parameters.error === "insufficient_scope") ? words[403] : undefined;
}

/** @see OCI distribution-spec, "Error Codes" */
function errorIn(text: string): string | undefined {
  const { errors, details } = (parsed(text) ?? {}) as { errors?: unknown; details?: unknown };
  const [first] = Array.isArray(errors) ? errors : [];
  if (typeof first?.code === "string") {
    const message = typeof first.message === "string" && first.message !== "" ? first.message : "unknown";
    return oneLine(`${first.code.toLowerCase().replaceAll("_", " ")}: ${message}`);
  }
  return typeof details === "string" ? oneLine(`unauthorized: ${details}`) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const words: Readonly<Record<number, string>> = {
  401: "unauthorized: authentication required",
  403: "denied: requested access to the resource is denied",
  429: "toomanyrequests: too many requests",
};

/** Of an answer that is not as registries give them. */
function plainly({ status, url }: Answer, text: string): string {
  const known = words[status];
  if (known !== undefined) return known;
  const line = text.startsWith("<") ? "" : oneLine(text);
  return `${url.host} answered ${status} for ${url.pathname}${line && `: ${line}`}`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim().slice(0, 500);
}

/** @see RFC 9110, "Retry-After" */
function afterOf(answer: Answer): number | undefined {
  const text = answer.header("retry-after");
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
