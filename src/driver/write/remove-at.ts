import { isErrno, joinPath, type Path } from "../../spec/index.js";
import { AT_REMOVEDIR, close, DT, lstatat, O, openat, readDirectory, Stat, unlinkat } from "../../sys/index.js";

/** Told of each thing just before it goes. */
export type Removing = (path: Path, stat: Stat) => void;

const stat = new Stat();

/** Deletes `name` of an open directory with all that is in it; symlinks are deleted, never followed. */
export function removeAt(dir: number, name: string, path: Path, removing?: Removing): void {
  lstatat(dir, name, stat);
  removing?.(path, stat);
  if (!tryUnlink(dir, name)) {
    empty(dir, name, path, removing);
    unlinkat(dir, name, AT_REMOVEDIR);
  }
}

/** @returns false: it is a directory */
function tryUnlink(dir: number, name: string): boolean {
  try {
    unlinkat(dir, name);
    return true;
  } catch (error) {
    if (isErrno(error, "EISDIR")) return false;
    throw error;
  }
}

function empty(dir: number, name: string, path: Path, removing?: Removing): void {
  const fd = openat(dir, name, O.O_RDONLY | O.O_DIRECTORY | O.O_NOFOLLOW);
  try {
    for (const entry of readDirectory(fd)) {
      if (entry.type === DT.DIR || removing) removeAt(fd, entry.name, joinPath(path, entry.name), removing);
      else if (!tryUnlink(fd, entry.name)) removeAt(fd, entry.name, joinPath(path, entry.name));
    }
  } finally {
    close(fd);
  }
}
