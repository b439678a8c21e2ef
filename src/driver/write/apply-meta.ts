import { chmodSync, fchownSync } from "node:fs";
import type { Meta } from "../../overlayfs/index.js";
import { InvalidParameter, isErrno, type Path } from "../../spec/index.js";
import {
  close,
  fchmod,
  fchmodat,
  fsetxattr,
  fstat,
  futimens,
  lchownat,
  lsetxattr,
  lutimesat,
  O,
  openat,
  S,
  Stat,
} from "../../sys/index.js";
import { quoted } from "../quoted.js";
import { isJailed } from "./jail.js";
import { type Owners, ownerOfEntry } from "./owner-on-disk.js";

/** A node just made or found: `name` in the open directory `dir`. */
export interface Place {
  readonly path: Path;
  readonly dir: number;
  readonly name: string;
}

// What is written into may be in use: by the time it is given its metadata, a name may be another thing, even a link
// that leads out. So files and directories get it by descriptor, other things by calls that follow no link.

/** All metadata of a file that has its content: writing would have taken setuid and capabilities away. */
export function applyToFile(fd: number, path: Path, meta: Meta, owners: Owners): void {
  applyTo(fd, path, meta, owners);
  futimens(fd, ...timesOf(meta));
}

/** Owner, xattrs and mode of a directory; its time waits until it has its content. */
export function applyToDirectory({ dir, name, path }: Place, meta: Meta, owners: Owners): void {
  const fd = openat(dir, name, O.O_RDONLY | O.O_DIRECTORY | O.O_NOFOLLOW);
  try {
    applyTo(fd, path, meta, owners);
  } finally {
    close(fd);
  }
}

function applyTo(fd: number, path: Path, meta: Meta, owners: Owners): void {
  setOwner(path, meta, owners, (uid, gid) => fchownSync(fd, uid, gid));
  eachXattr(path, meta, (name, value) => fsetxattr(fd, name, value));
  fchmod(fd, meta.mode & 0o7777);
}

/**
 * All metadata of what is neither a file being written nor a directory.
 *
 * @param inside a path that leads to its directory by no symlink: for calls that take no descriptor
 */
export function applyToNode({ path, dir, name }: Place, inside: string, meta: Meta, owners: Owners): void {
  setOwner(path, meta, owners, (uid, gid) => lchownat(dir, name, uid, gid));
  eachXattr(path, meta, (xattr, value) => lsetxattr(`${inside}/${name}`, xattr, value));
  chmodNode(dir, name, meta.mode & 0o7777);
  lutimesat(dir, name, ...timesOf(meta));
}

const stat = new Stat();

/** Symlinks have no mode of their own, and calls that would set one follow them. */
function chmodNode(dir: number, name: string, mode: number): void {
  const fd = openat(dir, name, O.O_PATH | O.O_NOFOLLOW);
  try {
    fstat(fd, stat);
    if ((stat.mode & S.IFMT) === S.IFLNK || (stat.mode & 0o7777) === mode) return;
    // There is no /proc in a jail, but no link leads out of one either.
    if (isJailed()) fchmodat(dir, name, mode);
    else chmodSync(`/proc/self/fd/${fd}`, mode);
  } finally {
    close(fd);
  }
}

type SetOwner = (uid: number, gid: number) => void;

function setOwner(path: Path, meta: Meta, owners: Owners, set: SetOwner): void {
  const { uid, gid } = ownerOfEntry(path, meta, owners);
  // 0xffffffff would mean "leave it as it is".
  if (uid >= 0xffff_ffff || gid >= 0xffff_ffff) {
    throw new InvalidParameter(`${quoted(path)}: Linux has no owner ${uid}:${gid}`);
  }
  try {
    set(uid, gid);
  } catch (error) {
    // In a user namespace an id may be outside of it, which is EINVAL.
    if (!owners.lenient || !isErrno(error, "EINVAL", "EPERM")) throw error;
  }
}

/**
 * Overlayfs's own xattrs are refused: they would change what other layers mean. Those that the file system does not
 * have, or keeps for others, are left out, as Docker does (docker-data-root 9.5).
 */
function eachXattr(path: Path, meta: Meta, set: (name: string, value: Uint8Array) => void): void {
  for (const [name, value] of meta.xattrs) {
    if (/^(trusted|user)\.overlay\./.test(name)) {
      throw new InvalidParameter(
        `${quoted(path)}: carries overlayfs's own attribute ${quoted(name)}, which no layer may`,
      );
    }
    try {
      set(name, value);
    } catch (error) {
      if (!isErrno(error, "EOPNOTSUPP", "ENOTSUP", "EPERM")) throw error;
    }
  }
}

const latest = (2n ** 63n - 1n) * 1_000_000_000n;

/** Last access and last change; the file system takes the nearest it can hold. */
export function timesOf({ mtimeNs }: Pick<Meta, "mtimeNs">): [atimeNs: bigint, mtimeNs: bigint] {
  const time = mtimeNs > latest ? latest : mtimeNs < -latest ? -latest : mtimeNs;
  return [time, time];
}
