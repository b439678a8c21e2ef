import type { Meta } from "../overlayfs/index.js";
import type { PaxRecords } from "./pax.js";
import { isAfterV7, nameAt, numberAt, textAt } from "./tar-header.js";
import type { TarKind, TarMember } from "./tar-member.js";

/** The type letter of the header at `at`; old tars write NUL for a file. */
export function typeOf(bytes: Uint8Array, at: number): string {
  const flag = bytes[at + 156]!;
  return flag === 0 ? "0" : String.fromCharCode(flag);
}

const kinds: Readonly<Record<string, TarKind>> = {
  "0": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "char",
  "4": "block",
  "5": "directory",
  "6": "fifo",
  "7": "file", // "contiguous": no file system of today knows it, every tar reads it as a file
};

const unsupported: Readonly<Record<string, string>> = {
  S: "sparse file (GNU): write the archive without --sparse",
  D: "directory of an incremental GNU archive",
  M: "continuation of a multi-volume GNU archive",
  N: "old GNU long names",
  V: "GNU volume label",
};

const noXattrs: Meta["xattrs"] = new Map();

/** What the extended headers before a member said. */
export interface Extended {
  readonly pax: PaxRecords | undefined;
  /** GNU's long name and long link target; they win over PAX, as in Go. */
  readonly name: string | undefined;
  readonly linkname: string | undefined;
}

/**
 * The member whose header is at `at`.
 *
 * @param offset in the archive, of the first byte behind the header
 * @returns the member, or one line that says why it is refused
 */
export function memberAt(bytes: Buffer, at: number, extended: Extended, offset: number): TarMember | string {
  const { pax } = extended;
  const type = typeOf(bytes, at);
  const name = extended.name || (pax?.path ?? nameAt(bytes, at));
  let kind = kinds[type];
  if (!kind) return unsupported[type] ?? `unknown entry type ${JSON.stringify(type)}`;
  if (pax?.sparse) return "sparse file (PAX): write the archive without --sparse";
  if (bytes[at + 156] === 0 && name.endsWith("/")) kind = "directory"; // v7 has no other sign

  const meta = metaAt(bytes, at, pax);
  if (typeof meta === "string") return meta;
  const size = pax?.size ?? numberAt(bytes, at + 124, 12);
  if (!(size >= 0)) return "size is not a number below 2^53";
  const isLink = kind === "symlink" || kind === "hardlink";
  const isDevice = kind === "char" || kind === "block";
  const hasMore = isAfterV7(bytes, at);
  const major = isDevice && hasMore ? numberAt(bytes, at + 329, 8) : 0;
  const minor = isDevice && hasMore ? numberAt(bytes, at + 337, 8) : 0;
  if (!(major >= 0 && minor >= 0)) return "device number is not a number";
  return {
    kind,
    name,
    linkname: isLink ? extended.linkname || (pax?.linkpath ?? textAt(bytes, at + 157, 100)) : "",
    meta,
    uname: pax?.uname ?? (hasMore ? textAt(bytes, at + 265, 32) : ""),
    gname: pax?.gname ?? (hasMore ? textAt(bytes, at + 297, 32) : ""),
    size: kind === "file" ? size : 0,
    major,
    minor,
    offset,
  };
}

function metaAt(bytes: Buffer, at: number, pax: PaxRecords | undefined): Meta | string {
  const mode = numberAt(bytes, at + 100, 8);
  const uid = pax?.uid ?? numberAt(bytes, at + 108, 8);
  const gid = pax?.gid ?? numberAt(bytes, at + 116, 8);
  const seconds = numberAt(bytes, at + 136, 12);
  if (!(mode >= 0)) return "mode is not a number";
  if (!isID(uid) || !isID(gid)) return "owner is not a number from 0 to 4294967294";
  if (pax?.mtimeNs === undefined && Number.isNaN(seconds)) return "modification time is not a number";
  const mtimeNs = pax?.mtimeNs ?? BigInt(seconds) * 1_000_000_000n;
  return { mode: mode % 0o10000, uid, gid, mtimeNs, xattrs: pax?.xattrs ?? noXattrs };
}

/** (uid_t)-1 means "leave as it is" to chown(2), so it is nobody's id. */
function isID(id: number): boolean {
  return id >= 0 && id < 0xffffffff;
}
