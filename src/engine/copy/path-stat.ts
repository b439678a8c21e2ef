import { InvalidParameter, isErrno, type NotFound, rfc3339 } from "../../spec/index.js";
import { close, fstat, O, openat2, resolve, S, Stat } from "../../sys/index.js";
import type { PathStat } from "../api-container.js";
import type { AskedPath, Root } from "./container-path.js";

/** Go's mode bits beside the permissions, by the kernel's. */
const goTypes: ReadonlyMap<number, number> = new Map([
  [S.IFDIR, 2 ** 31],
  [S.IFLNK, 2 ** 27],
  [S.IFBLK, 2 ** 26],
  [S.IFCHR, 2 ** 26 + 2 ** 21],
  [S.IFIFO, 2 ** 25],
  [S.IFSOCK, 2 ** 24],
]);
const goBits = [
  [0o4000, 2 ** 23],
  [0o2000, 2 ** 22],
  [0o1000, 2 ** 20],
] as const;

/** A file mode as Go numbers it. */
export function goMode(mode: number): number {
  const special = goBits.reduce((sum, [bit, go]) => sum + (mode & bit ? go : 0), 0);
  return (mode & 0o777) + special + (goTypes.get(mode & S.IFMT) ?? 0);
}

/**
 * What is at a path in a container, for `docker cp`.
 *
 * @param notFound the error when there is nothing
 * @throws InvalidParameter: it has to be a directory and is none; links in a circle
 */
export function pathStat(root: Root, asked: AskedPath, notFound: () => NotFound): PathStat {
  const path = root.resolve(asked);
  const stat = statAt(root, path, notFound);
  const isLink = (stat.mode & S.IFMT) === S.IFLNK;
  if (asked.isDirectory && (stat.mode & S.IFMT) !== S.IFDIR) {
    if (isLink) throw notFound();
    throw new InvalidParameter(`${asked.absolute} is not a directory`);
  }
  return {
    name: asked.base,
    size: stat.size,
    mode: goMode(stat.mode),
    mtime: rfc3339(stat.mtimeNs),
    linkTarget: isLink ? root.follow(asked.absolute) : "",
  };
}

/** @throws what `notFound` gives */
export function statAt(root: Root, path: string, notFound: () => NotFound): Stat {
  try {
    const fd = openat2(root.fd, path || ".", { flags: O.O_PATH | O.O_NOFOLLOW, resolve: resolve.inRoot });
    try {
      return fstat(fd, new Stat());
    } finally {
      close(fd);
    }
  } catch (error) {
    if (isErrno(error, "ENOENT")) throw notFound();
    if (isErrno(error, "ENOTDIR")) throw new InvalidParameter(`/${path}: not a directory`, { cause: error });
    throw error;
  }
}
