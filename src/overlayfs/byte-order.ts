/**
 * Orders names by their bytes, as the kernel's and Go's tools do (`LC_ALL=C sort`). For text without surrogates that is
 * JavaScript's own order; beyond, code points and the bytes that escapes stand for decide.
 */
export function byteOrder(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [x, y] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (x === y) continue;
    return isSurrogate(x) || isSurrogate(y) ? compareBytes(bytesOf(a), bytesOf(b)) : x - y;
  }
  return a.length - b.length;
}

/** Bytes that a name or link target takes. */
export function byteLength(text: string): number {
  return bytesOf(text).length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

function compareBytes(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  return at < 0 ? a.length - b.length : at >= b.length ? 1 : a[at]! - b[at]!;
}

function bytesOf(text: string): number[] {
  return [...text].flatMap((char) => {
    const code = char.codePointAt(0)!;
    return code >= 0xdc80 && code <= 0xdcff ? [code - 0xdc00] : utf8(code);
  });
}

function utf8(code: number): number[] {
  const tail = (shift: number) => 0x80 | ((code >> shift) & 0x3f);
  if (code < 0x80) return [code];
  if (code < 0x800) return [0xc0 | (code >> 6), tail(0)];
  if (code < 0x10000) return [0xe0 | (code >> 12), tail(6), tail(0)];
  return [0xf0 | (code >> 18), tail(12), tail(6), tail(0)];
}
