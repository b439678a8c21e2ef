declare const path: unique symbol;

/**
 * Where something is inside a layer: relative, `/` between names, no empty name, no `.` or `..`; the root is `""`.
 * File names are bytes: those that are not UTF-8 stand as lone surrogates U+DC80 to U+DCFF, one a byte, as in
 * Python's PEP 383, so that `encodeName` gives back exactly the bytes that came in.
 */
export type Path = string & { readonly [path]?: never };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes of a file name, link target or xattr name to text, losing nothing. */
export function decodeName(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  return text.includes("\ufffd") ? decodeEscaped(bytes) : text;
}

/** Text from `decodeName` to the bytes it came from. */
export function encodeName(name: string): Buffer {
  return name.isWellFormed() ? Buffer.from(name, "utf8") : encodeEscaped(name);
}

/** True when the name is UTF-8 on disk. */
export function isUTF8(name: string): boolean {
  return name.isWellFormed();
}

function decodeEscaped(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    text += length === 0 ? String.fromCharCode(0xdc00 + bytes[at]!) : utf8.decode(bytes.subarray(at, at + length));
    at += length || 1;
  }
  return text;
}

/** Length of the valid UTF-8 sequence at `at`, 0 when there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  try {
    utf8.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}

function encodeEscaped(name: string): Buffer {
  const parts: Buffer[] = [];
  for (const char of name) {
    const code = char.codePointAt(0)!;
    parts.push(code >= 0xdc80 && code <= 0xdcff ? Buffer.from([code - 0xdc00]) : Buffer.from(char, "utf8"));
  }
  return Buffer.concat(parts);
}

/**
 * The path a name in an archive stands for: leading `/` and `./`, doubled and trailing `/` go, `..` is taken away
 * with the name before it and cannot climb above the root (what a process confined to the root would see).
 */
export function cleanPath(name: string): Path {
  if (!/(^|\/)\.{0,2}(\/|$)/.test(name)) return name;
  const names: string[] = [];
  for (const part of name.split("/")) {
    if (part === "..") names.pop();
    else if (part !== "" && part !== ".") names.push(part);
  }
  return names.join("/");
}

/** True when the name, taken as it is, has a `..` in it. */
export function climbs(name: string): boolean {
  return name.includes("..") && name.split("/").includes("..");
}

/** The directory a path is in; `""` for a name in the root. */
export function parentOf(path: Path): Path {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

/** The last name of a path. */
export function baseOf(path: Path): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** `name` inside directory `dir`. */
export function joinPath(dir: Path, name: string): Path {
  return dir === "" ? name : `${dir}/${name}`;
}

/** Orders names byte by byte, as Go and `LC_ALL=C sort` do; UTF-16 order differs beyond the basic plane. */
export function compareNames(a: string, b: string): number {
  return Buffer.compare(encodeName(a), encodeName(b));
}
