let offset = 0n;

/**
 * Now, in nanoseconds since 1970, also in a process that lives for months: it follows the clock of the machine when
 * that is set, and counts in between.
 */
export function wallClockNs(): bigint {
  const counted = process.hrtime.bigint();
  const ms = Date.now();
  const ns = offset + counted;
  if (Math.abs(Number(ns / 1_000_000n) - ms) <= 2) return ns;
  offset = BigInt(ms) * 1_000_000n - counted;
  return offset + counted;
}
