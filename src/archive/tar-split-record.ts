/** One line of a tar-split file; together, in order, they are the whole archive. */
export type TarSplitRecord =
  /** Archive bytes that are no file content. */
  | { readonly kind: "segment"; readonly payload: Uint8Array }
  /**
   * A member, whose content comes from the layer's file; `size` 0 for all but files that have some. `name` as in the
   * archive, not cleaned. `crc` is CRC-64/ISO, 8 bytes big-endian; empty when there is no content.
   */
  | { readonly kind: "file"; readonly name: string; readonly size: number; readonly crc: Uint8Array };
