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
  return found.isFile() ? createHash("sha256").update(fs.readFileSync(path)).digest("hex").slice(0, 16) : "";
}

/** Overlayfs's notes but for `opaque` come and go. */
function xattrs(path: string): string {
  const named = sys.llistxattr(path).filter((name) => !/overlay\.(?!opaque)/.test(name));
  return named
    .sort()
    .map((name) => `${name}:${Buffer.from(sys.lgetxattr(path, name) ?? []).toString("hex")}`)
    .join(",");
}
