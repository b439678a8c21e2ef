import { chmod, chown, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
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
  const topmost = await mkdir(path, { recursive: true, mode });
  const found = await stat(path);
  if (owner && (found.uid !== owner.uid || found.gid !== owner.gid)) await chown(path, owner.uid, owner.gid);
  if ((found.mode & 0o7777) !== mode) await chmod(path, mode);
  if (topmost !== undefined) await syncDirectory(dirname(topmost));
}
