import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import * as sys from "../../src/sys/index.js";

/**
 * All that a file system knows of what is in a directory, a line each: type, mode, owner, size, time, content, target,
 * device, xattrs, and which names are one. Equal when nothing has changed.
 *
 * @param since times from here on, in milliseconds since 1970, are read as `now`
 */
export function diskFacts(directory: string, since = Number.POSITIVE_INFINITY): string[] {
  const first = new Map<string, string>();
  const lines: string[] = [];
  const visit = (path: string) => {
    for (const name of fs.readdirSync(join(directory, path)).sort()) {
      const at = join(path, name);
      const found = fs.lstatSync(join(directory, at), { bigint: true });
      const inode = `${found.dev}:${found.ino}`;
      if (!first.has(inode)) first.set(inode, at);
      const size = found.isDirectory() ? "" : found.size;
      const facts = [
        found.mode.toString(8),
        found.uid,
        found.gid,
        size,
        found.mtimeMs >= since ? "now" : found.mtimeNs,
        found.rdev,
      ];
      lines.push(
        `${at} ${facts.join(" ")} ${contentOf(join(directory, at), found)} ${xattrs(join(directory, at))} = ${first.get(inode)}`,
      );
      if (found.isDirectory()) visit(at);
    }
  };
  visit("");
  return lines;
}

function contentOf(path: string, found: fs.BigIntStats): string {
  if (found.isSymbolicLink()) return fs.readlinkSync(path);
  return found.isFile() ? digestOf(path).slice(0, 16) : "";
}

/** Not whole files: buffers that come and go have V8 look for garbage, over and over. */
const room = Buffer.alloc(1 << 20);

function digestOf(path: string): string {
  const hash = createHash("sha256");
  const fd = fs.openSync(path, "r");
  try {
    for (let size = fs.readSync(fd, room); size > 0; size = fs.readSync(fd, room)) hash.update(room.subarray(0, size));
  } finally {
    fs.closeSync(fd);
  }
  return hash.digest("hex");
}

/** Overlayfs's notes but for `opaque` come and go. */
function xattrs(path: string): string {
  const named = sys.llistxattr(path).filter((name) => !/overlay\.(?!opaque)/.test(name));
  return named
    .sort()
    .map((name) => `${name}:${Buffer.from(sys.lgetxattr(path, name) ?? []).toString("hex")}`)
    .join(",");
}
