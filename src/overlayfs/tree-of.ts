import type { Path } from "../spec/index.js";
import type { Meta } from "./change.js";
import { FileSystemError } from "./file-system-error.js";
import { namesOf } from "./names.js";
import { directoryOf, isDirectory, type OwnDirectory, type OwnInode } from "./own.js";
import type { Directory, Inode, Tree, TreeChange } from "./tree.js";

/** Directories that a change needs and none brings, as Docker makes them. */
const implied: Meta = { mode: 0o755, uid: 0, gid: 0, mtimeNs: 0n, xattrs: new Map() };

/**
 * The tree of one layer, out of its changes in order. What comes later replaces what is there by its name, but two
 * directories become one, and a directory in the place of a whiteout is opaque.
 *
 * @param root meta of the root when no change is about it
 * @throws FileSystemError: ENOENT, a hard link to what this layer does not have; ENOTDIR, something below a file;
 * EEXIST, a whiteout of what the layer itself has
 */
export function treeOf(changes: Iterable<TreeChange>, root: Meta = implied): Tree {
  const tree = directoryOf(root);
  for (const change of changes) {
    if (change.kind === "opaque") directoryAt(tree, change.path).opaque = true;
    else if (change.path === "") setRoot(tree, change);
    else put(tree, change);
  }
  return tree;
}

function setRoot(tree: OwnDirectory, change: TreeChange): void {
  if (change.kind !== "directory") throw new FileSystemError("EISDIR", "", "the root is a directory");
  tree.meta = change.meta;
}

function put(tree: OwnDirectory, change: Exclude<TreeChange, { kind: "opaque" }>): void {
  const names = namesOf(change.path);
  const name = names.pop()!;
  const { entries } = directoryAt(tree, names.join("/"));
  const there = entries.get(name);
  if (change.kind === "whiteout") entries.set(name, whiteout(change, there));
  else if (change.kind === "hardlink") entries.set(name, linked(tree, change));
  else if (change.kind === "directory") entries.set(name, madeDirectory(change, there));
  else entries.set(name, leafOf(change));
}

function whiteout({ path, meta }: Extract<TreeChange, { kind: "whiteout" }>, there?: Inode): OwnInode {
  if (there === undefined || there.kind === "whiteout") return { kind: "whiteout", ...(meta && { meta }) };
  throw new FileSystemError("EEXIST", path, "the layer both has and deletes it");
}

/** The directory that is there with other meta, or a new one. */
function madeDirectory({ meta, redirect }: Pick<Directory, "meta" | "redirect">, there?: OwnInode): OwnDirectory {
  const directory = isDirectory(there) ? there : directoryOf(meta);
  directory.meta = meta;
  if (redirect !== undefined) directory.redirect = redirect;
  if (there?.kind === "whiteout") directory.opaque = true;
  return directory;
}

/** A link's own meta becomes that of the file, as unpacking sets it on the shared inode. */
function linked(tree: OwnDirectory, { path, to, meta }: Extract<TreeChange, { kind: "hardlink" }>): OwnInode {
  let at: OwnInode | undefined = tree;
  for (const name of namesOf(to)) at = isDirectory(at) ? at.entries.get(name) : undefined;
  if (at === undefined || at.kind === "whiteout") throw new FileSystemError("ENOENT", path, `no '${to}' to link to`);
  if (isDirectory(at)) throw new FileSystemError("EPERM", path, `'${to}' to link to is a directory`);
  at.meta = meta;
  return at;
}

function leafOf(change: Exclude<TreeChange, { kind: "opaque" | "whiteout" | "hardlink" }>): OwnInode {
  const { path: _, ...inode } = change;
  return inode as OwnInode;
}

/** The directory at `path`, made with all above it where missing. */
function directoryAt(tree: OwnDirectory, path: Path): OwnDirectory {
  let at = tree;
  for (const name of namesOf(path)) {
    const there = at.entries.get(name);
    if (there !== undefined && there.kind !== "whiteout" && !isDirectory(there)) {
      throw new FileSystemError("ENOTDIR", path, `${name} is no directory`);
    }
    const next = isDirectory(there) ? there : madeDirectory({ meta: implied }, there);
    at.entries.set(name, next);
    at = next;
  }
  return at;
}
