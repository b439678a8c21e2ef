import type { BigIntStats } from "node:fs";
import { createReadStream } from "node:fs";
import { lstat, readdir, readlink, stat } from "node:fs/promises";
import type { Body, Change, Meta } from "../../overlayfs/index.js";
import { decodeName, encodeName, type Path } from "../../spec/index.js";

/**
 * A local file or tree as changes: the entries of an archive of it.
 *
 * @param name what the root is called in the archive; `""` leaves it out and gives what is in it
 * @param follow whether a symbolic link at the root itself is followed
 */
export async function* localTree(source: string, name: Path, follow: boolean): AsyncIterable<Change> {
  const seen = new Map<string, Path>();
  const root = encodeName(source);
  const info = await (follow || source.endsWith("/") ? stat : lstat)(root, { bigint: true });
  yield* walk(root, name, info, seen);
}

/** @param seen where the first name of a file with several names stands in the archive */
async function* walk(at: Buffer, path: Path, info: BigIntStats, seen: Map<string, Path>): AsyncIterable<Change> {
  const change = path === "" && info.isDirectory() ? undefined : await entry(at, path, info, seen);
  if (change) yield change;
  if (!info.isDirectory()) return;
  const names = await readdir(at, { encoding: "buffer" });
  for (const name of names.sort(Buffer.compare)) {
    const child = Buffer.concat([at, Buffer.from("/"), name]);
    const childPath = path === "" ? decodeName(name) : `${path}/${decodeName(name)}`;
    yield* walk(child, childPath, await lstat(child, { bigint: true }), seen);
  }
}

async function entry(at: Buffer, path: Path, info: BigIntStats, seen: Map<string, Path>): Promise<Change | undefined> {
  const meta = metaOf(info);
  const inode = `${info.dev}:${info.ino}`;
  const to = info.isDirectory() || info.nlink === 1n ? undefined : seen.get(inode);
  if (to !== undefined) return { kind: "hardlink", path, meta, to };
  seen.set(inode, path);
  if (info.isDirectory()) return { kind: "directory", path, meta };
  if (info.isSymbolicLink()) return { kind: "symlink", path, meta, target: decodeName(await readlink(at, "buffer")) };
  if (info.isFIFO()) return { kind: "fifo", path, meta };
  if (info.isFile())
    return { kind: "file", path, meta, size: Number(info.size), body: contentOf(at, Number(info.size)) };
  if (info.isCharacterDevice() || info.isBlockDevice())
    return { kind: info.isBlockDevice() ? "block" : "char", path, meta, ...deviceOf(info.rdev) };
  return undefined; // a socket, which no archive holds
}

/** No more than was announced, should the file grow meanwhile. */
function contentOf(at: Buffer, size: number): Body {
  if (size === 0) return [];
  return createReadStream(at, { end: size - 1, highWaterMark: 1024 * 1024 });
}

function metaOf(info: BigIntStats): Meta {
  return {
    mode: Number(info.mode & 0o7777n),
    uid: Number(info.uid),
    gid: Number(info.gid),
    mtimeNs: info.mtimeNs,
    xattrs: new Map(),
  };
}

/** @see makedev(3): how Linux packs device numbers */
function deviceOf(rdev: bigint): { major: number; minor: number } {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & ~0xffn & 0xffffffffn);
  return { major: Number(major), minor: Number(minor) };
}
