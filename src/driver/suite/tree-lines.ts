import { type Inode, type Tree, walk } from "../../overlayfs/index.js";
import { contentLine } from "./snapshot.js";

export const emptyTree: Tree = {
  kind: "directory",
  meta: { mode: 0o755, uid: 0, gid: 0, mtimeNs: 0n, xattrs: new Map() },
  entries: new Map(),
};

/** A model's tree in the lines of `snapshot`. Without hard links. */
export function treeLines(tree: Tree): string[] {
  return [...walk(tree)].map(([path, inode]) => `${JSON.stringify(path)} ${nodeLine(inode)}`);
}

function nodeLine(inode: Inode): string {
  if (inode.kind === "whiteout") return "whiteout";
  const { mode, uid, gid } = inode.meta;
  return `${kindLine(inode)} ${mode.toString(8)} ${uid}:${gid}`;
}

function kindLine(inode: Exclude<Inode, { kind: "whiteout" }>): string {
  if (inode.kind === "directory") return "dir";
  if (inode.kind === "file") return `file ${contentLine(Buffer.from(inode.content ?? ""))}`;
  if (inode.kind === "symlink") return `link ${inode.target}`;
  return inode.kind === "fifo" ? "fifo" : `${inode.kind} ${inode.major}:${inode.minor}`;
}
