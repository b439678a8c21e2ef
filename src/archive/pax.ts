import { decodeName } from "../spec/index.js";

/** What a PAX extended header says about the member behind it; what is absent stays as in the member's own header. */
export interface PaxRecords {
  path?: string;
  linkpath?: string;
  uname?: string;
  gname?: string;
  size?: number;
  uid?: number;
  gid?: number;
  mtimeNs?: bigint;
  xattrs?: Map<string, Uint8Array>;
  /** Any of GNU tar's keys for sparse files. */
  sparse?: true;
}

const xattrPrefix = "SCHILY.xattr.";

/**
 * Reads `LENGTH KEY=VALUE\n` records. As in Go, an empty value takes a record back, and the last of one key wins.
 *
 * @param data not written to afterwards: values of xattrs are views of it
 * @returns the records, or one line that says what is wrong with them
 * @see POSIX pax, "pax Extended Header"
 */
export function parsePax(data: Buffer): PaxRecords | string {
  const records: PaxRecords = {};
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const length = decimal(data.toString("latin1", at, space < 0 ? at : Math.min(space, at + 20)));
    const end = at + length;
    if (!(length > 0) || end > data.length || data[end - 1] !== 0x0a) return "malformed PAX record";
    const equals = data.indexOf(0x3d, space + 1);
    if (equals <= space + 1 || equals >= end - 1) return "malformed PAX record";
    const key = decodeName(data.subarray(space + 1, equals));
    const wrong = take(records, key, data.subarray(equals + 1, end - 1));
    if (wrong) return wrong;
    at = end;
  }
  return records;
}

/** @returns what is wrong with the record, if anything */
function take(records: PaxRecords, key: string, value: Buffer): string | undefined {
  if (key.startsWith(xattrPrefix)) {
    const name = key.slice(xattrPrefix.length);
    if (name === "" || name.includes("\0")) return "PAX record of an xattr without a usable name";
    records.xattrs ??= new Map();
    records.xattrs.set(name, value);
    return;
  }
  if (key.startsWith("GNU.sparse.")) records.sparse = true;
  else if (key === "path" || key === "linkpath" || key === "uname" || key === "gname") {
    if (value.includes(0)) return `PAX record ${key} contains a NUL`;
    set(records, key, value.length === 0 ? undefined : decodeName(value));
  } else if (key === "size" || key === "uid" || key === "gid") {
    const number = value.length === 0 ? undefined : decimal(value.toString("latin1"));
    if (Number.isNaN(number)) return `PAX record ${key} is not a number in range`;
    set(records, key, number);
  } else if (key === "mtime") {
    const time = value.length === 0 ? undefined : parseTime(value.toString("latin1"));
    if (time === null) return "PAX record mtime is not a time";
    set(records, "mtimeNs", time);
  }
}

function set<K extends keyof PaxRecords>(records: PaxRecords, key: K, value: PaxRecords[K] | undefined): void {
  if (value === undefined) delete records[key];
  else records[key] = value;
}

/** Not negative, below 2^53; else NaN. */
function decimal(text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return value <= Number.MAX_SAFE_INTEGER ? value : Number.NaN;
}

/** Seconds since 1970 with sign and fraction, to nanoseconds; digits beyond the ninth are cut. */
function parseTime(text: string): bigint | null {
  const match = /^(-?)(\d{1,16})(?:\.(\d{0,30}))?$/.exec(text);
  if (!match) return null;
  const [, sign, seconds, fraction = ""] = match;
  const ns = BigInt(seconds!) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, "0"));
  return sign === "-" ? -ns : ns;
}
