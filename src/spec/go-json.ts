/**
 * JSON as Go's encoding/json writes it, for files and digests that must equal Docker's: compact, `<`, `>`, `&` and the
 * two Unicode line separators escaped. An object is written as a Go struct, its keys in the order given, `undefined`
 * ones left out; a `Map` as a Go map, its keys in byte order (an object would put keys like "10" first, whatever order
 * they were given in). A bigint or `RawNumber` keeps digits that a JavaScript number would round.
 */
export function goJSON(value: unknown): string {
  return write(value, false);
}

/** The same with the keys of every object in byte order, as if all were Go maps. */
export function goJSONSorted(value: unknown): string {
  return write(value, true);
}

function write(value: unknown, sorted: boolean): string {
  if (value instanceof RawNumber) return value.digits;
  if (Array.isArray(value)) return `[${value.map((item) => write(item ?? null, sorted)).join(",")}]`;
  if (value instanceof Map) return writeFields(inByteOrder([...value]), sorted);
  if (value !== null && typeof value === "object") {
    return writeFields(sorted ? inByteOrder(Object.entries(value)) : Object.entries(value), sorted);
  }
  if (typeof value === "bigint") return String(value);
  return typeof value === "string" ? goString(value) : (JSON.stringify(value) ?? "null");
}

type Field = readonly [key: string, value: unknown];

function writeFields(fields: readonly Field[], sorted: boolean): string {
  const present = fields.filter(([, field]) => field !== undefined);
  return `{${present.map(([key, field]) => `${goString(key)}:${write(field, sorted)}`).join(",")}}`;
}

function inByteOrder(fields: readonly Field[]): Field[] {
  return fields.toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** Digits that go into JSON as they are: integers beyond 2^53, such as nanoseconds since 1970. */
export class RawNumber {
  readonly digits: string;
  constructor(value: bigint | number | string) {
    this.digits = String(value);
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: Go escapes exactly these
const special = /[\u0000-\u001f"\\<>&\u2028\u2029\ud800-\udfff]/;

/** A JSON string in Go's escaping; lone surrogates become U+FFFD, as Go does with bytes that are not UTF-8. */
export function goString(text: string): string {
  if (!special.test(text)) return `"${text}"`;
  let out = '"';
  for (const char of text) {
    if (char === '"' || char === "\\") out += `\\${char}`;
    else if (char === "\n") out += "\\n";
    else if (char === "\r") out += "\\r";
    else if (char === "\t") out += "\\t";
    else if (char < " " || "<>&\u2028\u2029".includes(char))
      out += `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
    else if (char.length === 1 && char >= "\ud800" && char <= "\udfff") out += "\\ufffd";
    else out += char;
  }
  return `${out}"`;
}
