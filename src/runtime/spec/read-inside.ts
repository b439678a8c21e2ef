import { readFileSync } from "node:fs";
import { isErrno } from "../../spec/index.js";
import { AT_FDCWD, close, fstat, O, openat, openat2, resolve, S, Stat } from "../../sys/index.js";
import { RuntimeFailure } from "../failure.js";

const mostBytes = 32 * 1024 * 1024;

/**
 * The text of a regular file in a tree that is not to be trusted: links in it are followed as a process would that has
 * the tree for its root, and nothing but a regular file is opened. Undefined when there is none.
 *
 * @param path absolute, in the tree
 * @throws RuntimeFailure: it is larger than 32 MiB
 */
export function readInside(tree: string, path: string): string | undefined {
  const root = openat(AT_FDCWD, tree, O.O_PATH | O.O_DIRECTORY);
  try {
    const handle = openat2(root, path, { flags: O.O_PATH, resolve: resolve.inRoot | resolve.noMagicLinks });
    try {
      return readHandle(handle, path);
    } finally {
      close(handle);
    }
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ELOOP", "EACCES", "EXDEV")) return undefined;
    throw error;
  } finally {
    close(root);
  }
}

function readHandle(handle: number, path: string): string | undefined {
  const stat = new Stat();
  fstat(handle, stat);
  if ((stat.mode & S.IFMT) !== S.IFREG) return undefined;
  if (stat.size > mostBytes) throw new RuntimeFailure(`${path} of the container is larger than 32 MiB`);
  return readFileSync(`/proc/self/fd/${handle}`, "utf8");
}
