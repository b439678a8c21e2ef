import { isErrno, type Path } from "../spec/index.js";
import { openat2, resolve } from "../sys/index.js";

// Each try fails only if somebody has renamed a directory, anywhere on the machine, in these microseconds.
const mostTries = 10_000;

/**
 * Opens `path` as if directory `root` were the root: no link, `..` or absolute target leads out of it.
 *
 * @param path `""` for the directory itself
 * @throws SyscallError: ENOSYS before Linux 5.6
 */
export function openInRoot(root: number, path: Path, flags: number): number {
  for (let tries = 1; ; tries++) {
    try {
      return openat2(root, path || ".", { flags, resolve: resolve.inRoot | resolve.noMagicLinks });
    } catch (error) {
      // "..", and a rename meanwhile: the kernel cannot tell whether the walk is still inside. @see openat2(2)
      if (!isErrno(error, "EAGAIN") || tries === mostTries) throw error;
    }
  }
}
