import type { Meta } from "./change.js";
import type { Directory, Inode } from "./tree.js";

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Inodes that the one who makes a tree may still change; everybody else gets them as `Inode`. */
export interface OwnDirectory extends Omit<Writable<Directory>, "entries"> {
  entries: Map<string, OwnInode>;
}
export type OwnInode = OwnDirectory | OwnLeaf;
export type OwnLeaf = Own<Exclude<Inode, Directory>>;
type Own<Leaf> = Leaf extends Inode ? Writable<Leaf> : never;

export function directoryOf(meta: Meta): OwnDirectory {
  return { kind: "directory", meta, entries: new Map() };
}

export function isDirectory(inode: OwnInode | undefined): inode is OwnDirectory {
  return inode?.kind === "directory";
}
