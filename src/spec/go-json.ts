/**
 * JSON as Go's encoding/json writes it, for files and digests that must equal Docker's: compact, keys in the order
 * given, `<`, `>`, `&` and the two Unicode line separators escaped. `undefined` keys are left out; a `RawNumber`
 * keeps digits that a JavaScript number would round.
 */
export function goJSON(value: unknown): string {
  if (value instanceof RawNumber) return value.digits;
  if (Array.isArray(value)) return `[${value.map((item) => goJSON(item ?? null)).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    return `{${fields.map(([key, field]) => `${goString(key)}:${goJSON(field)}`).join(",")}}`;
  }
  return typeof value === "string" ? goString(value) : (JSON.stringify(value) ?? "null");
}

/** The same with the keys of every object in byte order, as Go writes maps. */
export function goJSONSorted(value: unknown): string {
  return goJSON(sorted(value));
}

function sorted(value: unknown): unknown {
  if (value instanceof RawNumber || value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).map(([key, field]) => [key, sorted(field)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
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
