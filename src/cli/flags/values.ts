import { WrongUsage } from "../failure.js";

const powers = ["", "k", "m", "g", "t", "p"];

/** `64m`, `1.5g`, `4096`: bytes, in powers of 1024. @throws WrongUsage */
export function bytes(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(text);
  if (!match) throw new WrongUsage(`${option} ${text}: want bytes, as 64m or 1g`);
  return Math.floor(Number(match[1]) * 1024 ** powers.indexOf((match[2] ?? "").toLowerCase()));
}

/** The same, or -1 for no limit. @throws WrongUsage */
export function bytesOrNone(text: string, option: string): number {
  return text === "-1" ? -1 : bytes(text, option);
}

/** @throws WrongUsage */
export function integer(text: string, option: string): number {
  const number = Number(text);
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(number))
    throw new WrongUsage(`${option} ${text}: want a whole number`);
  return number;
}

/** `1.5` processors in billionths. @throws WrongUsage */
export function billionths(text: string, option: string): number {
  if (!/^\d+(\.\d{1,9})?$/.test(text)) throw new WrongUsage(`${option} ${text}: want a number, as 1.5`);
  return Math.round(Number(text) * 1e9);
}

const nanoseconds: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** `1m30s` in nanoseconds. @throws WrongUsage */
export function duration(text: string, option: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text)
    throw new WrongUsage(`${option} ${text}: want a span of time, as 1m30s`);
  return parts.reduce((sum, [, number, unit = "s"]) => sum + Number(number) * (nanoseconds[unit] ?? 0), 0);
}

/** `KEY=VALUE` pairs; without `=` the value is empty. @throws WrongUsage: no key */
export function pairs(given: readonly string[], option: string): Record<string, string> {
  for (const pair of given) if (pair.startsWith("=")) throw new WrongUsage(`${option} ${pair}: want KEY=VALUE`);
  return Object.fromEntries(given.map((pair) => splitAt(pair, "=")));
}

/** What stands before a sign and what after it; without the sign all stands before. */
export function splitAt(text: string, sign: string): [string, string] {
  const at = text.indexOf(sign);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
