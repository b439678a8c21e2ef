import {
  chmodSync,
  closeSync,
  fchmodSync,
  fchownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { join } from "node:path";
import { isErrno } from "../spec/index.js";

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** What a runtime mounts upon, or expects to be there. @see docker-data-root.md 4; moby daemon/initlayer */
const entries = [
  ["dev/pts", "directory"],
  ["dev/shm", "directory"],
  ["proc", "directory"],
  ["sys", "directory"],
  [".dockerenv", "file"],
  ["etc/resolv.conf", "file"],
  ["etc/hosts", "file"],
  ["etc/hostname", "file"],
  ["dev/console", "file"],
  ["etc/mtab", "/proc/mounts"],
] as const;

/** Where an init layer has something, besides the directories on the way there. */
export const initPaths: readonly string[] = entries.map(([path]) => path);

/**
 * Makes the entries of an init layer in a mounted tree. Files and symlinks in their way, of the image, are replaced;
 * none is followed. Some fifty short system calls: it does not wait for any of them.
 *
 * @param owner of what is made, but for symlinks, as dockerd has it where users are remapped; else this process
 */
export function fillInitLayer(root: string, owner?: Owner): void {
  for (const [path, kind] of entries) {
    makeWay(root, path, owner);
    if (exists(join(root, path))) continue;
    if (kind === "directory") makeDirectory(join(root, path), owner);
    else if (kind === "file") makeFile(join(root, path), owner);
    else symlinkSync(kind, join(root, path));
  }
}

/** Leaves only real directories on the way to `path`, and at its end; makes those that are missing above it. */
function makeWay(root: string, path: string, owner?: Owner): void {
  const names = path.split("/");
  for (let depth = 1; depth <= names.length; depth++) {
    const at = join(root, ...names.slice(0, depth));
    unlinkUnlessDirectory(at);
    if (depth < names.length && !exists(at)) makeDirectory(at, owner);
  }
}

function unlinkUnlessDirectory(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isErrno(error, "EISDIR", "EPERM", "ENOENT")) throw error;
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function makeDirectory(path: string, owner?: Owner): void {
  mkdirSync(path);
  chmodSync(path, 0o755);
  if (owner) lchownSync(path, owner.uid, owner.gid);
}

function makeFile(path: string, owner?: Owner): void {
  const fd = openSync(path, "wx");
  fchmodSync(fd, 0o755);
  if (owner) fchownSync(fd, owner.uid, owner.gid);
  closeSync(fd);
}
