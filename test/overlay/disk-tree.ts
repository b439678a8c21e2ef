import * as fs from "node:fs";
import type { Directory, Inode, Meta, Tree } from "../../src/overlayfs/index.js";
import { decodeName, isErrno } from "../../src/spec/index.js";
import * as sys from "../../src/sys/index.js";
import { now } from "./lines.js";

const at = sys.AT_FDCWD;
const { S } = sys;

/**
 * The tree in a directory, what overlayfs keeps in it for itself read as what it means.
 *
 * @param since times from here on, in nanoseconds since 1970, are read as `now`
 */
export function readTree(dir: string, since: bigint): Tree {
  return new Reader(since).inode(dir) as Directory;
}

class Reader {
  readonly #inodes = new Map<string, Inode>();
  readonly #since: bigint;
  constructor(since: bigint) {
    this.#since = since;
  }

  inode(path: string): Inode {
    const stat = sys.lstatat(at, path, new sys.Stat());
    const key = `${stat.dev}:${stat.ino}`;
    const known = this.#inodes.get(key);
    if (known !== undefined && known.kind !== "directory") return known;
    const inode = this.#read(path, stat);
    this.#inodes.set(key, inode);
    return inode;
  }

  #read(path: string, stat: sys.Stat): Inode {
    const type = stat.mode & S.IFMT;
    const mtimeNs = stat.mtimeNs >= this.#since ? now : stat.mtimeNs;
    const meta = { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, mtimeNs, xattrs: userXattrs(path) };
    if (type === S.IFDIR) return { kind: "directory", meta, entries: this.#entries(path), ...marks(path) };
    if (type === S.IFLNK) return { kind: "symlink", meta, target: sys.readlinkat(at, path) };
    if (type === S.IFIFO) return { kind: "fifo", meta };
    if (type === S.IFREG) return { kind: "file", meta, size: stat.size, content: contentOf(path) };
    const kind = type === S.IFCHR ? "char" : "block";
    if (kind === "char" && stat.rdevMajor === 0 && stat.rdevMinor === 0) return { kind: "whiteout" };
    return { kind, meta, major: stat.rdevMajor, minor: stat.rdevMinor };
  }

  #entries(path: string): Map<string, Inode> {
    const fd = sys.openat(at, path, sys.O.O_DIRECTORY);
    const entries = sys.readDirectory(fd);
    sys.close(fd);
    return new Map(entries.flatMap(({ name }) => this.#entry(path, name)));
  }

  /**
   * A directory that only one layer has is listed by the kernel as it is there: a whiteout in it shows as a name, but
   * is not found by it.
   */
  #entry(path: string, name: string): [string, Inode][] {
    try {
      return [[name, this.inode(`${path}/${name}`)]];
    } catch (error) {
      if (isErrno(error, "ENOENT")) return [];
      throw error;
    }
  }
}

/** Makes a layer's directories, files and whiteouts at `path`; no other kinds. */
export function writeTree(path: string, inode: Inode): void {
  if (inode.kind === "directory") writeDirectory(path, inode);
  else if (inode.kind === "file") fs.writeFileSync(path, inode.content ?? "");
  else if (inode.kind === "whiteout") sys.mknodat(at, path, S.IFCHR, 0, 0);
  else throw new Error(`no way to write a ${inode.kind}`);
  if (inode.kind !== "whiteout") setMeta(path, inode.meta);
}

function writeDirectory(path: string, directory: Directory): void {
  sys.mkdirat(at, path, 0o755);
  for (const [name, inode] of directory.entries) writeTree(`${path}/${name}`, inode);
  if (directory.opaque) sys.lsetxattr(path, "trusted.overlay.opaque", Buffer.from("y"));
  if (directory.redirect) sys.lsetxattr(path, "trusted.overlay.redirect", Buffer.from(directory.redirect));
}

function setMeta(path: string, { mode, mtimeNs }: Meta): void {
  sys.fchmodat(at, path, mode);
  sys.lutimesat(at, path, mtimeNs, mtimeNs);
}

function contentOf(path: string): string {
  const fd = sys.openat(at, path, sys.O.O_NOFOLLOW);
  try {
    return fs.readFileSync(fd, "latin1");
  } finally {
    sys.close(fd);
  }
}

function userXattrs(path: string): Map<string, Uint8Array> {
  const names = sys.llistxattr(path).filter((name) => name.startsWith("user."));
  return new Map(names.map((name) => [name, sys.lgetxattr(path, name) ?? new Uint8Array()]));
}

function marks(path: string): Pick<Directory, "opaque" | "redirect"> {
  const opaque = xattr(path, "trusted.overlay.opaque") === "y";
  const redirect = xattr(path, "trusted.overlay.redirect");
  return { ...(opaque && { opaque }), ...(redirect !== undefined && { redirect }) };
}

function xattr(path: string, name: string): string | undefined {
  const value = sys.lgetxattr(path, name);
  return value && decodeName(value);
}
