/** Docker's zero time, "never". */
export const zeroTime = "0001-01-01T00:00:00Z";

/** RFC 3339 in UTC with up to nine fraction digits, trailing zeros cut, as Go's RFC3339Nano. */
export function rfc3339(ns: bigint): string {
  return `${wallClock(ns)}Z`;
}

/** The same in this machine's time zone: `2026-01-02T04:05:06.5+01:00`; in UTC itself with `Z`. */
export function rfc3339Local(ns: bigint): string {
  const minutes = -new Date(Number(ns / 1_000_000n)).getTimezoneOffset();
  if (minutes === 0) return rfc3339(ns);
  const hours = String(Math.floor(Math.abs(minutes) / 60)).padStart(2, "0");
  const rest = String(Math.abs(minutes) % 60).padStart(2, "0");
  return `${wallClock(ns + BigInt(minutes) * 60_000_000_000n)}${minutes < 0 ? "-" : "+"}${hours}:${rest}`;
}

function wallClock(ns: bigint): string {
  const seconds = ns >= 0n ? ns / 1_000_000_000n : -((-ns + 999_999_999n) / 1_000_000_000n);
  const fraction = String(ns - seconds * 1_000_000_000n)
    .padStart(9, "0")
    .replace(/0+$/, "");
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

/** Nanoseconds since 1970 of an RFC 3339 time with any offset; undefined when it is none. */
export function parseRFC3339(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)$/.exec(text);
  if (!match) return undefined;
  const [, day, clock, fraction = "", zone] = match;
  // Date.parse takes the 30th of February for the 2nd of March, and 24:00 for the next day.
  const local = Date.parse(`${day}T${clock}Z`);
  if (Number.isNaN(local) || !new Date(local).toISOString().startsWith(`${day}T${clock}`)) return undefined;
  const ms = Date.parse(`${day}T${clock}${zone!.toUpperCase()}`);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}

const start = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();

/** Now, in nanoseconds since 1970; never goes back within a process. */
export function nowNs(): bigint {
  return start + process.hrtime.bigint();
}
