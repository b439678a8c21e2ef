/** How a stream is packed; `none` is taken to be what it should hold, as Docker does. */
export type Compression = "none" | "gzip" | "bzip2" | "xz" | "zstd";

/** Told by the first bytes, of which six decide; fewer are `none` unless they suffice. */
export function compressionOf(first: Uint8Array): Compression {
  const is = (...magic: number[]) => magic.every((byte, at) => first[at] === byte);
  if (is(0x1f, 0x8b, 0x08)) return "gzip";
  if (is(0x42, 0x5a, 0x68)) return "bzip2";
  if (is(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return "xz";
  if (is(0x28, 0xb5, 0x2f, 0xfd)) return "zstd";
  return "none";
}
