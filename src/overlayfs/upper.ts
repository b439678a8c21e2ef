import type { Meta } from "./change.js";
import { type Entry, type Present, parentOf, present } from "./entry.js";
import { directoryOf, isDirectory, type OwnDirectory, type OwnInode } from "./own.js";
import type { Directory, Inode, Tree } from "./tree.js";

/** The writable layer on top of a stack: what is changed is copied up to it first. */
export class Upper {
  readonly tree: OwnDirectory;
  /** Index of this layer: that of the one above all lower layers. */
  readonly index: number;

  constructor(tree: OwnDirectory, index: number) {
    this.tree = tree;
    this.index = index;
  }

  /** Whether the topmost layer provides the entry. */
  has({ found }: Present): boolean {
    return found.layer === this.index;
  }

  /** The directories of lower layers that a directory merges. */
  lowersOf({ found }: Present): Directory[] {
    return found.places.filter(({ layer }) => layer !== this.index).map((place) => place.directory);
  }

  /** The entry's inode here, copied with its meta and content if it was not yet; a directory comes without entries. */
  copyUp(entry: Present): OwnInode {
    if (entry.parent === undefined) return this.tree;
    const { entries } = this.directory(parentOf(entry));
    const there = entries.get(entry.name);
    if (there !== undefined && there.kind !== "whiteout") return there;
    const copy = copyOf(entry.found.inode);
    entries.set(entry.name, copy);
    return copy;
  }

  /** As `copyUp`, for an entry that is a directory. */
  directory(entry: Present): OwnDirectory {
    const inode = this.copyUp(entry);
    if (!isDirectory(inode)) throw new TypeError(`${entry.path} is no directory`);
    return inode;
  }

  /** Whether lower layers would show something by this name if this layer had nothing there. */
  coversLower(entry: Entry): boolean {
    if (entry.found !== undefined && !this.has(present(entry))) return true;
    for (const directory of this.lowersOf(parentOf(entry))) {
      const below = directory.entries.get(entry.name);
      if (below !== undefined) return below.kind !== "whiteout";
    }
    return false;
  }

  /** Takes the name away, leaving a whiteout where one is needed. */
  remove(entry: Present): void {
    const { entries } = this.directory(parentOf(entry));
    if (this.coversLower(entry)) entries.set(entry.name, { kind: "whiteout" });
    else entries.delete(entry.name);
  }
}

function copyOf(inode: Inode): OwnInode {
  return inode.kind === "directory" ? directoryOf(inode.meta) : { ...inode };
}

/** A copy that further changes do not reach; what was one inode stays one. */
export function snapshot(tree: Tree): OwnDirectory {
  const copies = new Map<Inode, OwnInode>();
  const copy = (inode: Inode): OwnInode => {
    const done = copies.get(inode) ?? (inode.kind === "directory" ? copyDirectory(inode) : { ...inode });
    copies.set(inode, done);
    return done;
  };
  const copyDirectory = (directory: Directory): OwnDirectory => {
    const entries = new Map([...directory.entries].map(([name, inode]) => [name, copy(inode)]));
    return { ...directory, entries };
  };
  return copyDirectory(tree);
}

/** The same meta but for what `change` says. */
export function withMeta(inode: OwnInode, change: Partial<Meta>): void {
  if (inode.kind === "whiteout") throw new TypeError("a whiteout has no meta to change");
  inode.meta = { ...inode.meta, ...change };
}
