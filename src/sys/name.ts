import { encodeName } from "../spec/index.js";

/** A path, file name or xattr name: text with its non-UTF-8 bytes escaped as `decodeName` does, or plain bytes. */
export type Name = string | Uint8Array;

/**
 * What the foreign call takes for a C string: UTF-8 text goes as it is (koffi encodes it on its own stack, which is
 * cheaper than a Buffer), anything else as bytes with a NUL behind.
 *
 * @throws TypeError: a NUL inside, which C would take as the end of the name
 */
export function cString(name: Name): Name {
  if (typeof name !== "string") return terminated(name);
  if (name.includes("\0")) throw embeddedNUL(name);
  return name.isWellFormed() ? name : terminated(encodeName(name));
}

function terminated(bytes: Uint8Array): Uint8Array {
  if (bytes.includes(0)) throw embeddedNUL(Buffer.from(bytes).toString());
  const out = new Uint8Array(bytes.length + 1);
  out.set(bytes);
  return out;
}

function embeddedNUL(name: string): TypeError {
  return new TypeError(`a file name cannot hold a NUL byte: ${JSON.stringify(name.slice(0, 300))}`);
}
