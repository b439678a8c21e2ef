import { decodeName } from "../spec/index.js";

/** Bytes of a header, and what everything in an archive is padded to. */
export const blockSize = 512;

/** Bytes that fill `size` up to whole blocks. */
export function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

/** True when the block at `at` is all zero: one of the two at the end of an archive. */
export function isZeroBlock(bytes: Uint8Array, at: number): boolean {
  for (let i = at; i < at + blockSize; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** True when the checksum of the header at `at` is right, summed over unsigned bytes or, as some old tars did, signed. */
export function checksumMatches(bytes: Buffer, at: number): boolean {
  const stored = numberAt(bytes, at + 148, 8);
  return stored === checksumOf(bytes, at) || stored === signedChecksumOf(bytes, at);
}

/** Whether an archive that begins with these bytes, 512 at least, is a tar by all that they tell. */
export function isTarHeader(first: Uint8Array): boolean {
  if (first.length < blockSize) return false;
  return checksumMatches(Buffer.from(first.buffer, first.byteOffset, first.byteLength), 0);
}

/** Sum of a header's bytes, those of the checksum itself taken as spaces. */
export function checksumOf(bytes: Buffer, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, blockSize);
  // Four bytes at a time: the sums of 128 pairs fit 16 bits.
  let even = 0;
  let odd = 0;
  for (let i = 0; i < blockSize; i += 4) {
    const four = view.getInt32(i);
    even += four & 0x00ff00ff;
    odd += (four >>> 8) & 0x00ff00ff;
  }
  let sum = (even >>> 16) + (even & 0xffff) + (odd >>> 16) + (odd & 0xffff);
  for (let i = 148; i < 156; i++) sum += 0x20 - view.getUint8(i);
  return sum;
}

function signedChecksumOf(bytes: Buffer, at: number): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < blockSize; i++) if (i < 148 || i >= 156) sum += bytes.readInt8(at + i);
  return sum;
}

/**
 * A number field: octal digits between blanks and NULs, or base-256 where the top bit of the first byte is set.
 * NaN when it is neither, or beyond 2^53; an empty field is 0.
 */
export function numberAt(bytes: Uint8Array, at: number, length: number): number {
  if (bytes[at]! >= 0x80) return base256At(bytes, at, length);
  const end = at + length;
  let i = at;
  while (i < end && (bytes[i] === 0x20 || bytes[i] === 0)) i++;
  let value = 0;
  for (; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  return i === end || bytes[i] === 0 || bytes[i] === 0x20 ? value : Number.NaN;
}

/** Two's complement, big-endian; the first bit only marks the form, the second is the sign. */
function base256At(bytes: Uint8Array, at: number, length: number): number {
  const negative = (bytes[at]! & 0x40) !== 0;
  const flip = negative ? 0xff : 0;
  let value = (bytes[at]! ^ flip) & 0x3f;
  for (let i = at + 1; i < at + length; i++) value = value * 256 + (bytes[i]! ^ flip);
  if (value >= Number.MAX_SAFE_INTEGER) return Number.NaN;
  return negative ? -value - 1 : value;
}

/** A text field: up to its first NUL, or all of it. */
export function textAt(bytes: Buffer, at: number, length: number): string {
  let all = 0;
  let end = at;
  for (const limit = at + length; end < limit; end++) {
    const byte = bytes[end]!;
    if (byte === 0) break;
    all |= byte;
  }
  if (end === at) return "";
  return all < 0x80 ? bytes.toString("latin1", at, end) : decodeName(bytes.subarray(at, end));
}

/** The member's name in the header, its prefix field joined where the format has one. */
export function nameAt(bytes: Buffer, at: number): string {
  const name = textAt(bytes, at, 100);
  if (bytes[at + 345] === 0) return name;
  const prefix = textAt(bytes, at + 345, prefixLength(bytes, at));
  return prefix === "" ? name : `${prefix}/${name}`;
}

function prefixLength(bytes: Buffer, at: number): number {
  const magic = bytes.toString("latin1", at + 257, at + 265);
  if (magic.startsWith("ustar\0")) return bytes.toString("latin1", at + 508, at + 512) === "tar\0" ? 131 : 155;
  return magic === "ustar  \0" && isMistakenPrefix(bytes, at) ? 155 : 0;
}

/**
 * GNU headers have times where ustar has its prefix. Go before 1.8 (Docker before 17.06) wrote a prefix there all the
 * same, and such images exist: what is no number but text is taken for one, as Go does.
 */
function isMistakenPrefix(bytes: Buffer, at: number): boolean {
  const isTime = (field: number) => bytes[field] === 0 || !Number.isNaN(numberAt(bytes, field, 12));
  if (isTime(at + 345) && isTime(at + 357)) return false;
  return textAt(bytes, at + 345, 155)
    .split("")
    .every((char) => char < "\x80");
}

/** True when the header has the fields behind the link name: owner names and device numbers. */
export function isAfterV7(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at + 257] === 0x75 &&
    bytes[at + 258] === 0x73 &&
    bytes[at + 259] === 0x74 &&
    bytes[at + 260] === 0x61 &&
    bytes[at + 261] === 0x72
  );
}
