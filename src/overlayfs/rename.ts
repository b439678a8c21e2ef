import { type Entry, isDirectoryEntry, type Present, parentOf, present } from "./entry.js";
import { FileSystemError } from "./file-system-error.js";
import { list } from "./lookup.js";
import { isDirectory, type OwnInode } from "./own.js";
import type { Tree } from "./tree.js";
import type { Upper } from "./upper.js";

/** What a rename has to know of the mount. */
export interface RenameContext {
  readonly layers: readonly Tree[];
  readonly upper: Upper;
  /** Directories of lower layers may be moved: the new place says where they were. */
  readonly redirectDir: boolean;
}

/**
 * Moves `from` to `to`, replacing what is there, in the kernel's order of checks: some failures come after a copy-up.
 *
 * @returns false: both are one file, nothing was done
 * @throws FileSystemError: EXDEV, a directory of a lower layer without `redirectDir`; ENOTEMPTY, EISDIR, ENOTDIR,
 * EINVAL, ENOENT, EBUSY
 * @see Linux fs/overlayfs/dir.c, ovl_rename; fs/namei.c, vfs_rename
 */
export function rename(context: RenameContext, from: Entry, to: Entry): boolean {
  const { layers, upper } = context;
  const [fromParent, toParent] = [parentOf(from), parentOf(to)];
  const source = present(from);
  if (!mayReplace(upper, source, to)) return false;
  const moved = isDirectoryEntry(source);
  const merged = moved && (!upper.has(source) || upper.lowersOf(source).length > 0);
  if (merged && !context.redirectDir) throw refused("EXDEV", from, "a directory of a lower layer cannot be moved");
  const replaced = to.found && isDirectoryEntry(present(to)) ? present(to) : undefined;
  const full = replaced !== undefined && list(layers, replaced.found).size > 0;
  const pure = replaced !== undefined && upper.has(replaced) && upper.lowersOf(replaced).length === 0;
  if (full && !pure) throw notEmpty(to);
  const inode = upper.copyUp(source);
  const target = upper.directory(toParent);
  if (merged) setRedirect(upper, source, inode, fromParent.path === toParent.path);
  else if (isDirectory(inode) && upper.lowersOf(toParent).length > 0) inode.opaque = true;
  // A directory of this layer alone is found to be full only by the file system below, after all of the above.
  if (full) throw notEmpty(to);
  upper.remove(source);
  target.entries.set(to.name, inode);
  return true;
}

/** What any file system checks. @returns false: nothing is to be done */
function mayReplace(upper: Upper, source: Present, to: Entry): boolean {
  const moved = isDirectoryEntry(source);
  if (moved && to.path.startsWith(`${source.path}/`)) throw refused("EINVAL", to, "a directory cannot hold itself");
  if (source.path.startsWith(`${to.path}/`)) throw notEmpty(to);
  if (to.found === undefined) return true;
  if (to.path === source.path) return false;
  // Hard links of a lower layer are files of their own in the merged view, since a copy-up will part them.
  if (to.found.inode === source.found.inode && upper.has(source)) return false;
  const onto = isDirectoryEntry(present(to));
  if (moved && !onto) throw refused("ENOTDIR", to, "a directory replaces only a directory");
  if (!moved && onto) throw refused("EISDIR", to, "a directory is replaced only by a directory");
  return true;
}

/** Says in the directory where lower layers have it, in the shortest way that stays right. */
function setRedirect(upper: Upper, source: Present, inode: OwnInode, sameParent: boolean): void {
  if (!isDirectory(inode) || inode.redirect?.startsWith("/")) return;
  if (!sameParent) inode.redirect = pathBelow(upper, source);
  else inode.redirect ??= source.name;
}

/** The path of a directory in the layers below, from their root. */
function pathBelow(upper: Upper, entry: Present): string {
  const own = upper.has(entry) ? entry.found.inode : undefined;
  const name = (own?.kind === "directory" ? own.redirect : undefined) ?? entry.name;
  if (name.startsWith("/")) return name;
  const parent = parentOf(entry);
  return parent.parent === undefined ? `/${name}` : `${pathBelow(upper, parent)}/${name}`;
}

function notEmpty(entry: Entry): FileSystemError {
  return refused("ENOTEMPTY", entry, "directory not empty");
}

function refused(code: string, { path }: Entry, why: string): FileSystemError {
  return new FileSystemError(code, path, why);
}
