import type { ChangeHead, Meta } from "../../overlayfs/index.js";
import type { Path } from "../../spec/index.js";

/** A change with all content at hand. */
export type WholeChange =
  | Exclude<ChangeHead, { kind: "file" }>
  | (Extract<ChangeHead, { kind: "file" }> & { readonly content: Uint8Array });

export type WholeFile = Extract<WholeChange, { kind: "file" }>;

/** What is given, over root's file of 2023 with a time that shows lost digits. */
export function meta(
  given: Partial<Omit<Meta, "xattrs">> & { xattrs?: Record<string, string | Uint8Array> } = {},
): Meta {
  const { mode = 0o644, uid = 0, gid = 0, mtimeNs = 1_700_000_000_123_456_789n, xattrs = {} } = given;
  const bytes = Object.entries(xattrs).map(([name, value]) => [name, new Uint8Array(Buffer.from(value))] as const);
  return { mode, uid, gid, mtimeNs, xattrs: new Map(bytes) };
}

type Given = Parameters<typeof meta>[0];

export function file(path: Path, content: string | Uint8Array = path, given?: Given): WholeFile {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return { kind: "file", path, meta: meta(given), size: bytes.length, content: bytes };
}

export function directory(path: Path, given: Given = { mode: 0o755 }): WholeChange {
  return { kind: "directory", path, meta: meta(given) };
}

export function symlink(path: Path, target: string, given: Given = { mode: 0o777 }): WholeChange {
  return { kind: "symlink", path, target, meta: meta(given) };
}

export function hardlink(path: Path, to: Path, given?: Given): WholeChange {
  return { kind: "hardlink", path, to, meta: meta(given) };
}

export function device(path: Path, kind: "char" | "block", major: number, minor: number): WholeChange {
  return { kind, path, major, minor, meta: meta({ mode: 0o660 }) };
}

export function fifo(path: Path): WholeChange {
  return { kind: "fifo", path, meta: meta({ mode: 0o600 }) };
}

export function whiteout(path: Path): WholeChange {
  return { kind: "whiteout", path };
}

export function opaque(path: Path): WholeChange {
  return { kind: "opaque", path };
}
