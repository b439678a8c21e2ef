import { InvalidParameter, nowNs, parseRFC3339 } from "../spec/index.js";
import { parseDuration } from "./dockerfile/duration.js";

/**
 * A point in time as filters and options give it: seconds since 1970 with or without a fraction, RFC 3339 or a part
 * of it from the left (`2026-11-21`), or a duration before now (`24h`). In nanoseconds since 1970.
 *
 * @throws InvalidParameter: none of these
 */
export function parseTimestamp(text: string): bigint {
  const seconds = /^(\d+)(?:\.(\d{1,9})\d*)?$/.exec(text);
  if (seconds) return BigInt(seconds[1] ?? 0) * 1_000_000_000n + BigInt((seconds[2] ?? "").padEnd(9, "0"));
  const filled = parseRFC3339(text) ?? parseRFC3339(`${text}${"2000-01-01T00:00:00Z".slice(text.length)}`);
  if (filled !== undefined) return filled;
  try {
    return nowNs() - BigInt(parseDuration(text));
  } catch (error) {
    const message = `failed to parse value as time or duration: ${JSON.stringify(text)}`;
    throw new InvalidParameter(message, { cause: error });
  }
}
