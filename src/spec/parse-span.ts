import { InvalidParameter } from "./errors.js";

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a span of time as options give it: `10m`, `1h30m`, `7d`. */
export function parseSpan(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) {
    throw new InvalidParameter(`invalid time: '${text}': want a span like 10m, 1h30m or 7d`);
  }
  return Math.round(parts.reduce((sum, [, number, unit = ""]) => sum + Number(number) * (unitsMs[unit] ?? 0), 0));
}
