/** The most bytes that one becomes, but for newlines. */
export const growth = 6;

const hex = Buffer.from("0123456789abcdef");
const [backslash, u, zero, r] = Buffer.from("\\u0r") as unknown as [number, number, number, number];

/**
 * What to do with a byte: 0 it goes as it is, 1 `\u00XX`, 2 a backslash before it, 3 it may begin UTF-8, 4 a newline, 5 it is
 * never the first of UTF-8. */
const kinds = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x80) return byte < 0xc2 || byte > 0xf4 ? 5 : 3;
  if (byte === 0x22 || byte === backslash) return 2;
  if (byte === 10) return 4;
  return byte < 0x20 || "<>&".includes(String.fromCharCode(byte)) ? 1 : 0;
});

/** How far `escapeLines` has come. */
export interface Cursor {
  from: number;
  into: number;
}

/**
 * Writes bytes into a JSON string, byte for byte as Docker's json-file driver does: each byte that is not part of UTF-8
 * becomes `\ufffd`, a tab `\u0009`. For a newline `between` is written: the end of one line of the log and the beginning of
 * the next. Moves the cursor on until it has read up to `stop`, or a little more if a character is divided there, but
 * not beyond `end`.
 *
 * @see moby daemon/logger/jsonfilelog/jsonlog/jsonlogbytes.go
 */
export function escapeLines(
  into: Uint8Array,
  from: Uint8Array,
  cursor: Cursor,
  { stop, end, between }: { readonly stop: number; readonly end: number; readonly between: Uint8Array },
): void {
  let { from: index, into: out } = cursor;
  while (index < stop) {
    const byte = from[index]!;
    const kind = kinds[byte]!;
    if (kind === 0) {
      into[out++] = byte;
      index++;
    } else if (kind === 4) {
      into.set(between, out);
      out += between.length;
      index++;
    } else if (kind === 5) {
      out = escapeUnit(into, out, 0xfffd);
      index++;
    } else if (kind === 3) {
      const length = sequenceLength(from, index, end);
      if (length === 0) {
        out = escapeUnit(into, out, 0xfffd);
        index++;
      } else if (isLineSeparator(from, index)) {
        out = escapeUnit(into, out, 0x2028 | (from[index + 2]! & 1));
        index += 3;
      } else {
        for (let left = length; left > 0; left--) into[out++] = from[index++]!;
      }
    } else {
      out = escapeByte(into, out, byte, kind);
      index++;
    }
  }
  cursor.from = index;
  cursor.into = out;
}

function escapeByte(into: Uint8Array, at: number, byte: number, kind: number): number {
  if (kind === 1 && byte !== 13) return escapeUnit(into, at, byte);
  into[at] = backslash;
  into[at + 1] = byte === 13 ? r : byte;
  return at + 2;
}

function escapeUnit(into: Uint8Array, at: number, unit: number): number {
  into[at] = backslash;
  into[at + 1] = u;
  into[at + 2] = unit < 0x1000 ? zero : hex[unit >> 12]!;
  into[at + 3] = hex[(unit >> 8) & 15]!;
  into[at + 4] = hex[(unit >> 4) & 15]!;
  into[at + 5] = hex[unit & 15]!;
  return at + 6;
}

/** U+2028 or U+2029 begins here. */
function isLineSeparator(from: Uint8Array, at: number): boolean {
  return from[at] === 0xe2 && from[at + 1] === 0x80 && (from[at + 2]! & 0xfe) === 0xa8;
}

/** Bytes of the UTF-8 sequence that begins with this byte, 2 to 4; 0: it is none, or not whole. @see RFC 3629, section 4 */
function sequenceLength(from: Uint8Array, at: number, end: number): number {
  const first = from[at]!;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (at + length > end) return 0;
  const second = from[at + 1]!;
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let index = at + 2; index < at + length; index++) if ((from[index]! & 0xc0) !== 0x80) return 0;
  return length;
}
