import { fchownSync } from "node:fs";
import type { Meta } from "../../overlayfs/index.js";
import { InvalidParameter, isErrno, type Path } from "../../spec/index.js";
import {
  close,
  fchmod,
  fchmodat,
  fsetxattr,
  futimens,
  lchownat,
  lsetxattr,
  lutimesat,
  O,
  openat,
} from "../../sys/index.js";
import type { WriteTarget } from "../driver.js";
import { quoted } from "../quoted.js";

/** How owners are set. */
export type Owners = Pick<WriteTarget, "lenient" | "owner">;

/** A node just made or found: `name` in the open directory `dir`. */
export interface Place {
  readonly path: Path;
  readonly dir: number;
  readonly name: string;
  /** A path that leads to it by no symlink: for calls that take no descriptor. */
  readonly absolute: string;
}

/** All metadata of a file that has its content: writing would have taken setuid and capabilities away. */
export function applyToFile(fd: number, path: Path, meta: Meta, owners: Owners): void {
  setOwner(path, meta, owners, (uid, gid) => fchownSync(fd, uid, gid));
  eachXattr(path, meta, (name, value) => fsetxattr(fd, name, value));
  fchmod(fd, meta.mode & 0o7777);
  futimens(fd, ...timesOf(meta));
}

/** Owner, xattrs and mode of a directory; its time waits until it has its content. */
export function applyToDirectory({ dir, name, path }: Place, meta: Meta, owners: Owners): void {
  setOwner(path, meta, owners, (uid, gid) => lchownat(dir, name, uid, gid));
  if (meta.xattrs.size > 0) {
    const fd = openat(dir, name, O.O_RDONLY | O.O_DIRECTORY | O.O_NOFOLLOW);
    try {
      eachXattr(path, meta, (xattr, value) => fsetxattr(fd, xattr, value));
    } finally {
      close(fd);
    }
  }
  fchmodat(dir, name, meta.mode & 0o7777);
}

/** All metadata of what is neither a file being written nor a directory. */
export function applyToNode(place: Place, meta: Meta, isSymlink: boolean, owners: Owners): void {
  setOwner(place.path, meta, owners, (uid, gid) => lchownat(place.dir, place.name, uid, gid));
  eachXattr(place.path, meta, (name, value) => lsetxattr(place.absolute, name, value));
  // The call follows symlinks; symlinks have no mode.
  if (!isSymlink) fchmodat(place.dir, place.name, meta.mode & 0o7777);
  lutimesat(place.dir, place.name, ...timesOf(meta));
}

type SetOwner = (uid: number, gid: number) => void;

function setOwner(path: Path, meta: Meta, { lenient, owner }: Owners, set: SetOwner): void {
  const { uid, gid } = owner ?? meta;
  // 0xffffffff would mean "leave it as it is".
  if (uid >= 0xffff_ffff || gid >= 0xffff_ffff) {
    throw new InvalidParameter(`${quoted(path)}: Linux has no owner ${uid}:${gid}`);
  }
  try {
    set(uid, gid);
  } catch (error) {
    // In a user namespace an id may be outside of it, which is EINVAL.
    if (!lenient || !isErrno(error, "EINVAL", "EPERM")) throw error;
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
