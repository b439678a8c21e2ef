import type { Meta } from "../overlayfs/index.js";

export type TarKind = "file" | "directory" | "symlink" | "hardlink" | "char" | "block" | "fifo";

/** One member of a tar archive, PAX records and GNU long names already applied. */
export interface TarMember {
  readonly kind: TarKind;
  /** As the archive has it, by `decodeName`, nothing cleaned: `./dev/` stays. May be empty. */
  readonly name: string;
  /** Target of a symlink or hard link, not cleaned; `""` for other kinds. */
  readonly linkname: string;
  /** `mode` without type bits; `xattrs` from `SCHILY.xattr.*`, whatever their names. */
  readonly meta: Meta;
  readonly uname: string;
  readonly gname: string;
  /** Bytes of content that follow; 0 for every kind but `file`, whatever the header says, as in Go and GNU tar. */
  readonly size: number;
  /** Device numbers; 0 for what is no device. */
  readonly major: number;
  readonly minor: number;
  /** Where in the archive the content begins, in bytes. */
  readonly offset: number;
}

/**
 * Takes what a `TarParser` finds, in the order of the archive. `raw` and `data` together get every byte exactly once:
 * `raw` all up to a member's content, then `member`, then its content by `data`. The bytes may be used only until
 * the method returns: the reader may fill the same buffer again.
 */
export interface TarSink {
  member(member: TarMember): void;
  data(chunk: Uint8Array): void;
  /** Bytes `start` to `end` of `bytes` are headers, padding, end blocks or what follows them. */
  raw?(bytes: Buffer, start: number, end: number): void;
}
