import { S, type Stat } from "../sys/index.js";

/** Overlayfs's mark for a name that is not to be looked up in lower layers. */
export function isWhiteout(stat: Stat): boolean {
  return (stat.mode & S.IFMT) === S.IFCHR && stat.rdevMajor === 0 && stat.rdevMinor === 0;
}

export function isDirectory(stat: Stat): boolean {
  return (stat.mode & S.IFMT) === S.IFDIR;
}
