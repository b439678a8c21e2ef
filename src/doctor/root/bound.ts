import { join, relative } from "node:path";
import { readMounts } from "../../disk/index.js";

/** Whether a directory is mounted on itself: the same directory of the same file system is seen there as without. */
export function isBoundOnItself(dir: string): boolean {
  const mounts = readMounts();
  const at = mounts.findLast(({ path }) => path === dir);
  const below = mounts.filter((mount) => mount !== at && (mount.path === dir || isInside(dir, mount.path)));
  const under = below.reduce<(typeof below)[number] | undefined>(
    (best, mount) => (best === undefined || mount.path.length >= best.path.length ? mount : best),
    undefined,
  );
  if (!at || !under || at.type !== under.type || at.source !== under.source) return false;
  return at.root === join(under.root, relative(under.path, dir));
}

function isInside(path: string, dir: string): boolean {
  return path.startsWith(dir === "/" ? "/" : `${dir}/`);
}
