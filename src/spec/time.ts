/** Docker's zero time, "never". */
export const zeroTime = "0001-01-01T00:00:00Z";

/** RFC 3339 in UTC with up to nine fraction digits, trailing zeros cut, as Go's RFC3339Nano. */
export function rfc3339(ns: bigint): string {
  const seconds = ns >= 0n ? ns / 1_000_000_000n : -((-ns + 999_999_999n) / 1_000_000_000n);
  const fraction = String(ns - seconds * 1_000_000_000n)
    .padStart(9, "0")
    .replace(/0+$/, "");
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${whole}${fraction === "" ? "" : `.${fraction}`}Z`;
}

/** Nanoseconds since 1970 of an RFC 3339 time with any offset; undefined when it is none. */
export function parseRFC3339(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)$/.exec(text);
  if (!match) return undefined;
  const [, day, clock, fraction = "", zone] = match;
  const ms = Date.parse(`${day}T${clock}${zone!.toUpperCase()}`);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}

const start = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();

/** Now, in nanoseconds since 1970; never goes back within a process. */
export function nowNs(): bigint {
  return start + process.hrtime.bigint();
}
