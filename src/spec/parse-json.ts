import { RawNumber } from "./go-json.js";

const mark = "\u0000";
const tokens = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * Parses JSON so that `goJSON` writes the same numbers again: integers beyond 2^53 become `RawNumber`.
 *
 * @throws SyntaxError: not JSON
 */
export function parseJSON(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  const marked = text.replace(tokens, (token) => (isBig(token) ? `{"\\u0000":"${token}"}` : token));
  return JSON.parse(marked, (_key, value) => unmarked(value));
}

function isBig(token: string): boolean {
  return /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token));
}

function unmarked(value: unknown): unknown {
  if (value === null || typeof value !== "object" || !Object.hasOwn(value, mark)) return value;
  const digits = (value as Record<string, unknown>)[mark];
  return typeof digits === "string" && isBig(digits) ? new RawNumber(digits) : value;
}
