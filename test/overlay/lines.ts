import { type Inode, type Tree, type Whiteout, walk } from "../../src/overlayfs/index.js";

/** The time that stands for all times since the run began. */
export const now = 1n << 62n;

/** One line for each name of a tree, the root first: all that a process can see, and what makes a layer. */
export function linesOf(tree: Tree): string[] {
  const first = new Map<Inode, string>();
  const line = (path: string, inode: Inode) => {
    if (inode.kind === "whiteout") return `${path} whiteout`;
    if (inode.kind !== "directory" && !first.has(inode)) first.set(inode, path);
    return `${path} ${describe(inode)} inode of ${first.get(inode) ?? path}`;
  };
  return [line("", tree), ...[...walk(tree)].map(([path, inode]) => line(path, inode))];
}

function describe(inode: Exclude<Inode, Whiteout>): string {
  const { mode, uid, gid, mtimeNs, xattrs } = inode.meta;
  const time = mtimeNs === now ? "now" : String(mtimeNs);
  const attributes = [...xattrs].map(([name, value]) => `${name}=${Buffer.from(value)}`).sort();
  return [inode.kind, mode.toString(8), `${uid}:${gid}`, time, ...attributes, ...substance(inode)].join(" ");
}

function substance(inode: Inode): string[] {
  switch (inode.kind) {
    case "file":
      return [`${inode.size} bytes`, JSON.stringify(inode.content)];
    case "symlink":
      return [`-> ${inode.target}`];
    case "char":
    case "block":
      return [`${inode.major}:${inode.minor}`];
    case "directory":
      return [...(inode.opaque ? ["opaque"] : []), ...(inode.redirect === undefined ? [] : [`was ${inode.redirect}`])];
    default:
      return [];
  }
}
