import type { LogEntry } from "./entry.js";

export interface LogFormat {
  /** Each line in a frame of its own, as for a container without a terminal. */
  readonly framed: boolean;
  /** The time in front of each line, with nine digits behind the second. */
  readonly timestamps?: boolean;
  /** `attrs` in front of each line. */
  readonly details?: boolean;
}

/** A line as a client of Docker gets it. @see moby api/server/httputils/write_log_stream.go */
export function formatEntry(entry: LogEntry, { framed, timestamps, details }: LogFormat): Buffer {
  const time = timestamps ? `${nineDigits(entry.time)} ` : "";
  const text = `${time}${details ? `${attributes(entry.attrs ?? {})} ` : ""}${entry.log}`;
  if (!framed) return Buffer.from(text);
  const size = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(8 + size);
  frame.writeUInt32BE(entry.stream === "stderr" ? 0x02000000 : 0x01000000, 0);
  frame.writeUInt32BE(size, 4);
  frame.write(text, 8);
  return frame;
}

function nineDigits(time: string): string {
  const [, seconds, fraction = "", zone] = /^([^.]*?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(time) ?? [];
  return seconds === undefined ? time : `${seconds}.${fraction.padEnd(9, "0")}${zone}`;
}

function attributes(attrs: Readonly<Record<string, string>>): string {
  const keys = Object.keys(attrs).sort();
  return keys.map((key) => `${queryEscape(key)}=${queryEscape(attrs[key]!)}`).join(",");
}

/** As Go's `url.QueryEscape`. */
function queryEscape(text: string): string {
  const escaped = encodeURIComponent(text.toWellFormed()).replace(/%20/g, "+");
  return escaped.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
