import { type Stats, statSync } from "node:fs";
import { chmod, chown, mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { isErrno } from "../spec/index.js";
import { syncDirectory } from "./sync.js";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Makes a directory, and those above it that are missing, with this mode whatever the umask; one that is there with
 * another mode or owner is corrected without a word, as dockerd does at its start.
 *
 * @throws the error of mkdir: EEXIST, it is there and no directory
 */
export async function ensureDirectory(path: string, mode: number, owner?: Owner): Promise<void> {
  if (isRight(statSync(path, { throwIfNoEntry: false }), mode, owner)) return;
  const topmost = await makeDirectories(resolve(path), mode);
  const found = await stat(path);
  if (owner && (found.uid !== owner.uid || found.gid !== owner.gid)) await chown(path, owner.uid, owner.gid);
  if ((found.mode & 0o7777) !== mode) await chmod(path, mode);
  if (topmost !== undefined) await syncDirectory(dirname(topmost));
}

/** As nearly every time: one call tells, on this thread, since it waits for nothing. */
function isRight(found: Stats | undefined, mode: number, owner?: Owner): boolean {
  if (!found?.isDirectory() || (found.mode & 0o7777) !== mode) return false;
  return !owner || (found.uid === owner.uid && found.gid === owner.gid);
}

/**
 * Makes a directory, and those above it that are missing, with this mode as the umask has it. Node's own recursive
 * mkdir never ends where the file system itself answers ENOENT, as /proc does, and Node 20's says ENOENT of a full disk.
 *
 * @param path absolute
 * @returns the topmost directory that was made
 */
export async function makeDirectories(path: string, mode: number): Promise<string | undefined> {
  try {
    return await makeOne(path, mode);
  } catch (error) {
    if (!isErrno(error, "ENOENT") || path === dirname(path)) throw error;
  }
  const above = await makeDirectories(dirname(path), mode);
  const made = await makeOne(path, mode);
  return above ?? made;
}

/** @returns undefined when somebody else has made it */
async function makeOne(path: string, mode: number): Promise<string | undefined> {
  try {
    await mkdir(path, { mode });
    return path;
  } catch (error) {
    if (isErrno(error, "EEXIST") && (await stat(path)).isDirectory()) return undefined;
    throw error;
  }
}
