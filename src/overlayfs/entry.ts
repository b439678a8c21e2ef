import type { Path } from "../spec/index.js";
import { FileSystemError } from "./file-system-error.js";
import { childOf, type Found, rootOf } from "./lookup.js";
import { namesOf } from "./names.js";
import type { Tree } from "./tree.js";

/** A name in the merged view, with what is there and the directories on the way to it. */
export interface Entry {
  readonly path: Path;
  readonly name: string;
  /** Undefined for the root only. */
  readonly parent: Entry | undefined;
  readonly found: Found | undefined;
}

/** An entry that has something. */
export interface Present extends Entry {
  readonly found: Found;
}

/** The place `path` names: its parent is a directory, it itself may have nothing. Symlinks are not followed. */
export function resolve(layers: readonly Tree[], path: Path): Entry {
  let at: Entry = { path: "", name: "", parent: undefined, found: rootOf(layers) };
  for (const name of namesOf(path)) {
    const parent = directory(at);
    const there = parent.path === "" ? name : `${parent.path}/${name}`;
    at = { path: there, name, parent, found: childOf(layers, parent.found, name) };
  }
  return at;
}

/** @throws FileSystemError: ENOENT */
export function present(entry: Entry): Present {
  const { found, path } = entry;
  if (found === undefined) throw new FileSystemError("ENOENT", path, "no such file or directory");
  return { ...entry, found };
}

/** @throws FileSystemError: EEXIST */
export function absent(entry: Entry): Entry {
  if (entry.found !== undefined) throw new FileSystemError("EEXIST", entry.path, "file already exists");
  return entry;
}

/** @throws FileSystemError: ENOENT, ENOTDIR; ELOOP for a symlink, which is not followed here */
export function directory(entry: Entry): Present {
  const there = present(entry);
  const { kind } = there.found.inode;
  if (kind === "symlink") throw new FileSystemError("ELOOP", entry.path, "a symlink is on the way");
  if (kind !== "directory") throw new FileSystemError("ENOTDIR", entry.path, "not a directory");
  return there;
}

/** The directory an entry is in. @throws FileSystemError: EBUSY, it is the root */
export function parentOf(entry: Entry): Present {
  if (entry.parent === undefined) throw new FileSystemError("EBUSY", "/", "the root stays");
  return directory(entry.parent);
}

export function isDirectoryEntry({ found }: Present): boolean {
  return found.inode.kind === "directory";
}
