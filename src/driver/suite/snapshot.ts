import { createHash } from "node:crypto";
import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { decodeName } from "../../spec/index.js";
import { lgetxattr, llistxattr } from "../../sys/index.js";

export interface SnapshotOptions {
  /** Times of what is no directory. */
  readonly times?: boolean;
}

/**
 * A tree in lines, one a path: name, type, mode, owner, content and xattrs; further names of an inode carry the first.
 * Read by plain Node calls, so that the driver's own walk is not its judge.
 */
export function snapshot(root: string, { times = false }: SnapshotOptions = {}): string[] {
  const lines: string[] = [];
  const inodes = new Map<bigint, string>();
  const walk = (dir: Buffer, at: string) => {
    for (const name of readdirSync(dir, { encoding: "buffer" }).sort(Buffer.compare)) {
      const path = Buffer.concat([dir, Buffer.from("/"), name]);
      const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      // Overlayfs lists whiteouts in a directory that it has nothing to merge with, though there is nothing.
      if (!stat) continue;
      const shown = `${at}${decodeName(name)}`;
      const first = stat.isDirectory() ? shown : (inodes.get(stat.ino) ?? shown);
      if (stat.nlink > 1n) inodes.set(stat.ino, first);
      const time = times && !stat.isDirectory() ? ` @${stat.mtimeNs}` : "";
      lines.push(`${JSON.stringify(shown)} ${nodeLine(path, stat)}${time}${first === shown ? "" : ` = ${first}`}`);
      if (stat.isDirectory()) walk(path, `${shown}/`);
    }
  };
  walk(Buffer.from(root), "");
  return lines;
}

/** Type, mode, owner, what is in it, xattrs. */
function nodeLine(path: Buffer, stat: BigIntStats): string {
  const mode = (Number(stat.mode) & 0o7777).toString(8);
  const xattrs = llistxattr(path)
    .filter((name) => !name.startsWith("trusted.overlay."))
    .sort()
    .map((name) => ` ${name}=${Buffer.from(lgetxattr(path, name) ?? []).toString("hex")}`);
  return `${kindLine(path, stat)} ${mode} ${stat.uid}:${stat.gid}${xattrs.join("")}`;
}

function kindLine(path: Buffer, stat: BigIntStats): string {
  if (stat.isDirectory()) return "dir";
  if (stat.isFile()) return `file ${contentLine(readFileSync(path))}`;
  if (stat.isSymbolicLink()) return `link ${decodeName(readlinkSync(path, { encoding: "buffer" }))}`;
  if (stat.isFIFO()) return "fifo";
  if (stat.isSocket()) return "socket";
  return `${stat.isCharacterDevice() ? "char" : "block"} ${deviceLine(stat.rdev)}`;
}

function deviceLine(rdev: bigint): string {
  return `${(rdev >> 8n) & 0xfffn}:${(rdev & 0xffn) | ((rdev >> 12n) & 0xfff00n)}`;
}

/** Short content as it is, long as its length and hash. */
export function contentLine(content: Uint8Array): string {
  if (content.length <= 40) return JSON.stringify(Buffer.from(content).toString());
  return `${content.length} ${createHash("sha256").update(content).digest("hex").slice(0, 16)}`;
}
