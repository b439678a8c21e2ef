import { compareNames, isErrno } from "../../spec/index.js";
import { AT_FDCWD, close, O, openat, readDirectory } from "../../sys/index.js";

const flags = O.O_RDONLY | O.O_DIRECTORY | O.O_NOFOLLOW;

/** Opens the directory at an absolute path that the driver itself has made. */
export function openRoot(path: string): number {
  return openat(AT_FDCWD, path, O.O_RDONLY | O.O_DIRECTORY);
}

/** Opens directory `name` of `dir`. @returns undefined: it is gone, or another thing has taken its place */
export function openDirectoryIn(dir: number, name: string): number | undefined {
  return ifThere(() => openat(dir, name, flags));
}

/** Names in an open directory, in byte-wise lexical order. */
export function sortedNames(dir: number): string[] {
  const names = readDirectory(dir).map((entry) => entry.name);
  // Up to the surrogates, where also escaped bytes stand, the order of UTF-16 is that of UTF-8.
  return names.some((name) => /[\ud800-\udfff]/.test(name)) ? names.sort(compareNames) : names.sort();
}

/** Runs `work`. @returns undefined where a path has come to lead nowhere */
export function ifThere<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ELOOP", "ESTALE")) return undefined;
    throw error;
  }
}

/** A path that leads to `name` of an open directory by no symlink: for calls that take no descriptor. */
export function pathIn(dir: number, name: string): string {
  return `/proc/self/fd/${dir}/${name}`;
}

/** Closes descriptors, however a walk ends. */
export function closeAll(fds: Iterable<number | undefined>): void {
  for (const fd of fds) if (fd !== undefined) close(fd);
}
