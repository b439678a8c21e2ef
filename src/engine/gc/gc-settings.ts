import { InvalidParameter } from "../../spec/index.js";

/** When images that nobody uses are removed without being asked. Never, where neither limit is set. */
export interface GCSettings {
  /** While the data root takes more bytes than these. */
  readonly keepBytes?: number;
  /** While its disk is fuller than so many percent, as df(1) counts them. */
  readonly diskPercent?: number;
  /** Only what has not been used for so long. Two minutes unless given. */
  readonly minAgeMs?: number;
  /** How often it is looked at besides after pulls, loads, commits and tags. Ten minutes unless given. */
  readonly intervalMs?: number;
}

/** The same with what is usual for what was left out. */
export interface CheckedGC extends GCSettings {
  readonly minAgeMs: number;
  readonly intervalMs: number;
}

/** @returns undefined: there is no limit @throws InvalidParameter */
export function checkedGC({ minAgeMs = 120_000, intervalMs = 600_000, ...limits }: GCSettings): CheckedGC | undefined {
  const { keepBytes, diskPercent } = limits;
  if (diskPercent !== undefined && !(diskPercent > 0 && diskPercent <= 100)) {
    throw new InvalidParameter(`gc-disk-percent is ${diskPercent}: want more than 0, and 100 at most`);
  }
  if (intervalMs < 1000) throw new InvalidParameter(`gc-interval is ${intervalMs} ms: want a second or more`);
  if (keepBytes === undefined && diskPercent === undefined) return undefined;
  return { ...limits, minAgeMs, intervalMs };
}
