import { parseRFC3339 } from "../spec/index.js";
import { WrongUsage } from "./failure.js";

const seconds: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 0.001 };

/**
 * What people write for a moment (seconds since 1970, an RFC 3339 time, or how long ago: `10m`, `1h30m`), in the
 * API's form: seconds since 1970 with a fraction.
 *
 * @throws WrongUsage: none of these
 */
export function moment(text: string | undefined, nowMs = Date.now()): string | undefined {
  if (text === undefined || /^\d+(\.\d{1,9})?$/.test(text)) return text;
  const ns = parseRFC3339(text);
  if (ns !== undefined) return `${ns / 1_000_000_000n}.${String(ns % 1_000_000_000n).padStart(9, "0")}`;
  if (/^(\d+(\.\d+)?(h|m|s|ms))+$/.test(text)) {
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)];
    const ago = parts.reduce((sum, [, number, unit = "s"]) => sum + Number(number) * (seconds[unit] ?? 0), 0);
    return (nowMs / 1000 - ago).toFixed(3);
  }
  throw new WrongUsage(
    `${JSON.stringify(text)} is no time: want seconds since 1970, 2026-01-31T12:00:00Z, or 10m for ten minutes ago`,
  );
}
