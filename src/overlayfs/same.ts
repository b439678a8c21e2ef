import type { Meta } from "./change.js";
import type { Inode } from "./tree.js";

/** Whether two inodes look the same to a process; of directories, without what is in them. */
export function sameInode(a: Inode, b: Inode): boolean {
  if (a.kind === "whiteout" || b.kind === "whiteout") return a.kind === b.kind;
  return a === b || (sameMeta(a.meta, b.meta) && sameSubstance(a, b));
}

export function sameMeta(a: Meta, b: Meta): boolean {
  const same = a.mode === b.mode && a.uid === b.uid && a.gid === b.gid && a.mtimeNs === b.mtimeNs;
  return a === b || (same && sameXattrs(a.xattrs, b.xattrs));
}

/** Files whose content nobody looked at are the same when size and time are, as everywhere in Docker. */
function sameSubstance(a: Inode, b: Inode): boolean {
  if (a.kind === "file") return b.kind === "file" && a.size === b.size && a.content === b.content;
  if (a.kind === "symlink") return b.kind === "symlink" && a.target === b.target;
  if (a.kind === "char" || a.kind === "block") return a.kind === b.kind && a.major === b.major && a.minor === b.minor;
  return a.kind === b.kind;
}

function sameXattrs(a: Meta["xattrs"], b: Meta["xattrs"]): boolean {
  return a.size === b.size && [...a].every(([name, value]) => sameBytes(value, b.get(name)));
}

export function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
