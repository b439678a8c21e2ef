/** The most bytes that `escapeInto` makes of one. */
export const growth = 6;

const [quote, backslash] = [0x22, 0x5c];
const replacement = Buffer.from("\\ufffd");

/** What stands for a byte below 0x80 in a JSON string of Docker's log; undefined: the byte itself. */
const escapes: readonly (Uint8Array | undefined)[] = Array.from({ length: 128 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  if (byte === quote || byte === backslash) return Buffer.from(`\\${char}`);
  if (char === "\n") return Buffer.from("\\n");
  if (char === "\r") return Buffer.from("\\r");
  if (byte >= 0x20 && !"<>&".includes(char)) return undefined;
  return Buffer.from(`\\u${byte.toString(16).padStart(4, "0")}`);
});

/** 1 for the bytes that go into JSON as they are. */
const plain = Uint8Array.from({ length: 256 }, (_, byte) => (byte < 0x80 && !escapes[byte] ? 1 : 0));

/**
 * Writes `from[start, end)` into a JSON string at `at`, byte for byte as Docker's json-file driver does: each byte that
 * is not part of UTF-8 becomes `\ufffd`, a tab `\u0009`.
 *
 * @returns where it ended @see moby daemon/logger/jsonfilelog/jsonlog/jsonlogbytes.go
 */
export function escapeInto(into: Uint8Array, at: number, from: Uint8Array, start: number, end: number): number {
  let out = at;
  for (let index = start; index < end; ) {
    const byte = from[index]!;
    if (plain[byte] === 1) {
      into[out++] = byte;
      index++;
      continue;
    }
    const length = byte < 0x80 ? 0 : sequenceLength(from, index, end);
    if (length === 0) {
      out = put(into, out, byte < 0x80 ? escapes[byte]! : replacement);
      index++;
    } else if (isLineSeparator(from, index)) {
      out = put(into, out, from[index + 2] === 0xa8 ? lineSeparator : paragraphSeparator);
      index += 3;
    } else {
      for (let left = length; left > 0; left--) into[out++] = from[index++]!;
    }
  }
  return out;
}

const [lineSeparator, paragraphSeparator] = [Buffer.from("\\u2028"), Buffer.from("\\u2029")];

function isLineSeparator(from: Uint8Array, at: number): boolean {
  return from[at] === 0xe2 && from[at + 1] === 0x80 && (from[at + 2]! & 0xfe) === 0xa8;
}

function put(into: Uint8Array, at: number, bytes: Uint8Array): number {
  for (let index = 0; index < bytes.length; index++) into[at + index] = bytes[index]!;
  return at + bytes.length;
}

/** Bytes of the UTF-8 sequence that begins here, 2 to 4; 0: this byte begins none. @see RFC 3629, section 4 */
function sequenceLength(from: Uint8Array, at: number, end: number): number {
  const first = from[at]!;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (at + length > end) return 0;
  const second = from[at + 1]!;
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let index = at + 2; index < at + length; index++) if ((from[index]! & 0xc0) !== 0x80) return 0;
  return length;
}
