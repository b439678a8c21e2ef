import { parseRFC3339 } from "../../spec/index.js";
import type { OutputStream } from "./line-encoder.js";

/** One line of a json-file log, or a piece of one that was too long. */
export interface LogEntry {
  /** With its `\n`, unless it is a piece or the last. */
  readonly log: string;
  readonly stream: OutputStream;
  readonly attrs?: Readonly<Record<string, string>>;
  /** As written, RFC 3339. */
  readonly time: string;
}

/** @returns undefined: it is none, as a line that a crash has cut */
export function parseEntry(line: string): LogEntry | undefined {
  try {
    const entry = JSON.parse(line) as Partial<LogEntry>;
    return typeof entry.time === "string" ? { log: "", stream: "stdout", ...entry, time: entry.time } : undefined;
  } catch {
    return undefined;
  }
}

export function timeOf(entry: LogEntry): bigint {
  return parseRFC3339(entry.time) ?? 0n;
}
